"""House rules of the templates, read from their source: what a policy or a reader trips over."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
EVERY = sorted(TEMPLATES.rglob("*.html"))
MAILS = sorted((TEMPLATES / "mails").glob("*.html"))
COMPONENTS = sorted((TEMPLATES / "components").glob("*.html"))
PARTS = ("_", "base.html", "bare.html")
PAGES = [p for p in EVERY if p not in COMPONENTS and not p.name.startswith(PARTS)]
ICONS = set(re.findall(r'<symbol id="i-([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))
STATUS_ICONS = {"circle-check", "loader-2", "user-question", "alert-triangle"}
STATUS_ICONS |= {"circle-x", "circle-dashed"}
# Where each macro takes the name of an icon.
ICON_ARGUMENTS = {"icon": 0, "empty_state": 0, "state_icon": 1, "notice": 1, "notice_box": 1}
ICON_ARGUMENTS |= {"state": 2, "post_button": 3}


def name_of(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


def tree_of(path: Path) -> nodes.Template:
    return Environment(autoescape=True).parse(path.read_text())


def with_its_parts(path: Path) -> str:
    """The source of a page and of the parts it includes, to count what stands on the whole page."""
    source = path.read_text()
    included = re.findall(r"{%-? include '([^']+)'", source)
    return source + "".join(with_its_parts(TEMPLATES / name) for name in included)


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_nothing_inline_that_the_policy_forbids(path: Path) -> None:
    """Mails have no policy, and their programs read inline styles only; no script there either."""
    source = path.read_text()
    assert not re.search(r"<style\b", source)
    assert path in MAILS or not re.search(r"<[^>]*\sstyle\s*=", source)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=\s*[\"']", source)
    assert not re.search(r"javascript:", source)
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert 'type="module"' in tag, tag
        assert "static_url(" in tag, tag


@pytest.mark.parametrize("path", MAILS, ids=name_of)
def test_a_mail_fetches_nothing(path: Path) -> None:
    assert not re.search(r"<(?:img|link|script|iframe|object|video)\b|url\(", path.read_text())


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_nothing_escapes_the_escaping(path: Path) -> None:
    tree = tree_of(path)
    assert {"safe", "tojson"}.isdisjoint(found.name for found in tree.find_all(nodes.Filter))
    assert "autoescape" not in path.read_text()
    assert not re.search(r"\b(?:Markup|render_template_string)\b", path.read_text())


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_nothing_undefined_is_hushed(path: Path) -> None:
    source = path.read_text().replace("caller is defined", "")
    assert not re.search(r"\bis (?:not )?(?:un)?defined\b", source)
    assert not re.search(r"\|\s*(?:default|d)\(", source)


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_no_address_of_another_host(path: Path) -> None:
    without_namespaces = path.read_text().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]+", without_namespaces) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_has_one_h1(path: Path) -> None:
    source = with_its_parts(path)
    headings = re.findall(r"<h1\b|{{ page_head\(|{% call page_head\(", source)
    assert len(headings) == 1, headings


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_has_a_title(path: Path) -> None:
    assert re.search(r"{% block title %}\S|<title>\S", path.read_text())


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_imported_macros_are_used(path: Path) -> None:
    tree = tree_of(path)
    imported = {
        name[1] if isinstance(name, tuple) else name
        for statement in tree.find_all(nodes.FromImport)
        for name in statement.names
    }
    read = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    assert imported - read == set()


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_imported_macros_and_included_parts_exist(path: Path) -> None:
    for statement in tree_of(path).find_all(nodes.FromImport):
        source = (TEMPLATES / statement.template.value).read_text()
        for name in statement.names:
            macro = name[0] if isinstance(name, tuple) else name
            assert f"macro {macro}(" in source, macro
    for name in re.findall(r"{%-? (?:include|extends) '([^']+)'", path.read_text()):
        assert (TEMPLATES / name).is_file(), name


def test_macros_are_used_somewhere() -> None:
    everything = "\n".join(path.read_text() for path in EVERY)
    for path in COMPONENTS:
        for macro in re.findall(r"macro (\w+)\(", path.read_text()):
            assert len(re.findall(rf"\b{macro}\(", everything)) > 1, f"{path.name}: {macro}"


def icons_named_in(path: Path) -> set[str]:
    names = set()
    for call in tree_of(path).find_all(nodes.Call):
        position = ICON_ARGUMENTS.get(getattr(call.node, "name", ""))
        if position is None or len(call.args) <= position:
            continue
        argument = call.args[position]
        either = isinstance(argument, nodes.CondExpr)
        choices = [argument.expr1, argument.expr2] if either else [argument]
        names |= {choice.value for choice in choices if isinstance(choice, nodes.Const)}
    return names - {""}


def test_the_icons_of_calls_are_found() -> None:
    assert {"rocket", "trash"} <= icons_named_in(TEMPLATES / "llm_clients" / "_actions.html")


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_icons_exist(path: Path) -> None:
    assert icons_named_in(path) <= ICONS


def test_icons_of_the_statuses_exist() -> None:
    assert STATUS_ICONS <= ICONS


def test_no_icon_is_served_that_nobody_draws() -> None:
    everything = "\n".join(path.read_text() for path in EVERY)
    unused = {name for name in ICONS - STATUS_ICONS if f"'{name}'" not in everything}
    assert unused == set()


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_posts_carry_the_token(path: Path) -> None:
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL):
        assert "csrf_field()" in form or "serving/chat" in str(path), form[:80]


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_new_windows_and_buttons_say_what_they_are(path: Path) -> None:
    source = path.read_text()
    assert "target=" not in source
    for button in re.findall(r"<button\b[^>]*>", source):
        assert "type=" in button or 'aria-label="Close' in button, button
