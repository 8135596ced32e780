"""House rules of the templates, read from their source: what a policy or a reader trips over."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
EVERY = sorted(TEMPLATES.rglob("*.html"))
MAILS = sorted((TEMPLATES / "mails").glob("*.html"))
COMPONENTS = sorted((TEMPLATES / "components").glob("*.html"))
PARTS = ("_", "base.html", "bare.html")
PAGES = [p for p in EVERY if p not in COMPONENTS and not p.name.startswith(PARTS)]
ICONS = set(re.findall(r'<symbol id="i-([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))
ENVIRONMENT = Environment(autoescape=True)
STATUS_ICONS = {"circle-check", "loader-2", "user-question", "alert-triangle"}
STATUS_ICONS |= {"circle-x", "circle-dashed"}
# Where each macro takes the name of an icon.
ICON_ARGUMENTS = {"icon": 0, "empty_state": 0, "state_icon": 1, "notice": 1, "notice_box": 1}
ICON_ARGUMENTS |= {"state": 2, "post_button": 3}


Rule = Callable[[Path], None]


def name_of(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


def of_each(paths: list[Path]) -> Callable[[Rule], Callable[[], None]]:
    """A rule as one test over all those templates; what breaks it is named with its reason."""

    def over_all(rule: Rule) -> Callable[[], None]:
        def test() -> None:
            broken: dict[str, str] = {}
            for path in paths:
                try:
                    rule(path)
                except AssertionError as error:
                    broken[name_of(path)] = str(error)
            assert paths
            assert broken == {}

        test.__doc__ = rule.__doc__
        return test

    return over_all


@cache
def source_of(path: Path) -> str:
    return path.read_text()


@cache
def tree_of(path: Path) -> nodes.Template:
    return ENVIRONMENT.parse(source_of(path))


def with_its_parts(path: Path) -> str:
    """The source of a page and of the parts it includes, to count what stands on the whole page."""
    source = source_of(path)
    included = re.findall(r"{%-? include '([^']+)'", source)
    return source + "".join(with_its_parts(TEMPLATES / name) for name in included)


@of_each(EVERY)
def test_nothing_inline_that_the_policy_forbids(path: Path) -> None:
    """Mails have no policy, and their programs read inline styles only; no script there either."""
    source = source_of(path)
    assert not re.search(r"<style\b", source)
    assert path in MAILS or not re.search(r"<[^>]*\sstyle\s*=", source)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=\s*[\"']", source)
    assert not re.search(r"javascript:", source)
    for tag in re.findall(r"<script\b[^>]*>", source):
        assert 'type="module"' in tag, tag
        assert "static_url(" in tag, tag


@of_each(MAILS)
def test_a_mail_fetches_nothing(path: Path) -> None:
    assert not re.search(r"<(?:img|link|script|iframe|object|video)\b|url\(", source_of(path))


@of_each(EVERY)
def test_nothing_escapes_the_escaping(path: Path) -> None:
    tree = tree_of(path)
    assert {"safe", "tojson"}.isdisjoint(found.name for found in tree.find_all(nodes.Filter))
    assert "autoescape" not in source_of(path)
    assert not re.search(r"\b(?:Markup|render_template_string)\b", source_of(path))


@of_each(EVERY)
def test_nothing_undefined_is_hushed(path: Path) -> None:
    source = source_of(path).replace("caller is defined", "")
    assert not re.search(r"\bis (?:not )?(?:un)?defined\b", source)
    assert not re.search(r"\|\s*(?:default|d)\(", source)


@of_each(EVERY)
def test_no_address_of_another_host(path: Path) -> None:
    without_namespaces = source_of(path).replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]+", without_namespaces) == []


@of_each(PAGES)
def test_a_page_has_one_h1(path: Path) -> None:
    source = with_its_parts(path)
    headings = re.findall(r"<h1\b|{{ page_head\(|{% call page_head\(", source)
    assert len(headings) == 1, headings


@of_each(PAGES)
def test_a_page_has_a_title(path: Path) -> None:
    assert re.search(r"{% block title %}\S|<title>\S", source_of(path))


@of_each(EVERY)
def test_imported_macros_are_used(path: Path) -> None:
    tree = tree_of(path)
    imported = {
        name[1] if isinstance(name, tuple) else name
        for statement in tree.find_all(nodes.FromImport)
        for name in statement.names
    }
    read = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "load"}
    assert imported - read == set()


@of_each(EVERY)
def test_imported_macros_and_included_parts_exist(path: Path) -> None:
    for statement in tree_of(path).find_all(nodes.FromImport):
        source = source_of(TEMPLATES / statement.template.value)
        for name in statement.names:
            macro = name[0] if isinstance(name, tuple) else name
            assert f"macro {macro}(" in source, macro
    for name in re.findall(r"{%-? (?:include|extends) '([^']+)'", source_of(path)):
        assert (TEMPLATES / name).is_file(), name


def test_macros_are_used_somewhere() -> None:
    everything = "\n".join(source_of(path) for path in EVERY)
    for path in COMPONENTS:
        for macro in re.findall(r"macro (\w+)\(", source_of(path)):
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


@of_each(EVERY)
def test_icons_exist(path: Path) -> None:
    assert icons_named_in(path) <= ICONS


def test_icons_of_the_statuses_exist() -> None:
    assert STATUS_ICONS <= ICONS


def test_no_icon_is_served_that_nobody_draws() -> None:
    everything = "\n".join(source_of(path) for path in EVERY)
    unused = {name for name in ICONS - STATUS_ICONS if f"'{name}'" not in everything}
    assert unused == set()


@of_each(EVERY)
def test_posts_carry_the_token(path: Path) -> None:
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source_of(path), re.DOTALL):
        assert "csrf_field()" in form or "serving/chat" in str(path), form[:80]


@of_each(EVERY)
def test_new_windows_and_buttons_say_what_they_are(path: Path) -> None:
    source = source_of(path)
    assert "target=" not in source
    for button in re.findall(r"<button\b[^>]*>", source):
        assert "type=" in button or 'aria-label="Close' in button, button
