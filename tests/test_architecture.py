"""The house: which room may know which, read from the imports themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.syntax import PORTAL, imports_of, modules, nodes_of, text_of, tree_of

pytestmark = pytest.mark.engine_independent

# From the bottom to the top; a room may import those before it, and itself.
FLOORS = [
    [
        "errors",
        "log_lines",
        "issuer_settings",
        "sign_on_settings",
        "service_urls",
        "formatting",
        "off_loop",
    ],
    ["settings", "charts"],
    ["outgoing", "smtp"],
    ["dns", "tls", "llm_providers"],
    ["fetching"],
    ["functions", "open_id"],
    ["database", "quick_redis"],
    ["quick_statements"],
    ["caching", "job_queue", "web", "form_rules"],
    ["adapters"],
    ["accounts"],
    ["vault", "system"],
    ["notices"],
    ["providers", "custom_domains", "certificates", "plugins", "usage"],
    ["limits", "people"],
    ["llm_clients"],
    ["request_history"],
    ["history_search"],
    ["history_exports"],
    ["history_keeping"],
    ["serving"],
    ["history_pages"],
    ["overview", "notifications", "audit_log"],
    ["domain_setup"],
    ["manifests"],
    ["api"],
    ["schema", "installation", "local_services", "frame", "dispatching"],
    ["app"],
    ["worker"],
    ["background", "commands", "table_commands"],
    ["cli"],
]
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# Started by themselves, before or beside the rest.
APART = {"bootstrap", "supervisor", "embedded_redis", "tied_process", "web_worker"}
PORTS = ("dns", "tls", "llm_providers", "outgoing", "smtp", "fetching", "functions", "open_id")
NOT_IN_PORTS = ("flask", "sqlalchemy", "rq", "redis", "wtforms")
FLASK = ("flask", "flask_login", "flask_wtf", "wtforms", "rq")
# Modules of a slice that meet the web; the others are verbs, models or pure.
WEB_MODULES = ("views", "forms", "form_fields", "page", "readiness", "rows", "workbench", "edge")
WEB_MODULES += ("who_asks", "second_step", "confirming", "entering")


def room_of(path: Path) -> str:
    first = path.relative_to(PORTAL).parts[0]
    return first.removesuffix(".py")


def own_rooms(path: Path) -> set[str]:
    names = {name.split(".")[1] for name in imports_of(path) if name.startswith("portal.")}
    return {name for name in names if name in LEVEL or name in APART}


def test_arrows_point_down() -> None:
    for path in modules():
        room = room_of(path)
        if room == "__init__" or room in APART:
            continue
        assert room in LEVEL, f"{path}: {room} has no floor"
        for other in own_rooms(path) - {room}:
            assert other not in APART, f"{path} knows {other}, which is started apart"
            assert LEVEL[other] < LEVEL[room], f"{path} knows {other}, which is not below it"


@pytest.mark.parametrize("port", PORTS)
def test_ports_know_no_framework(port: str) -> None:
    for path in modules():
        if room_of(path) == port:
            found = {name.split(".")[0] for name in imports_of(path)}
            assert not found & set(NOT_IN_PORTS), path


def test_only_the_job_queue_and_the_worker_know_rq() -> None:
    who = {
        room_of(path) for path in modules() if "rq" in {n.split(".")[0] for n in imports_of(path)}
    }
    assert who == {"job_queue", "worker"}


def test_only_settings_reads_the_environment() -> None:
    allowed = {"settings", *APART}
    for path in modules():
        if room_of(path) in allowed:
            continue
        for node in nodes_of(path):
            is_read = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
            if is_read and ast.unparse(node).startswith("os."):
                handed_over = "Settings.from_environ(os.environ)" in text_of(path)
                assert handed_over, f"{path} reads the environment"


def test_verb_modules_know_no_web_framework_and_never_commit() -> None:
    slices = ("accounts", "llm_clients", "request_history", "usage", "certificates", "providers")
    slices += ("plugins", "custom_domains", "people", "notices")
    for path in modules():
        name = path.stem
        if room_of(path) not in slices or name == "__init__" or "models" in name:
            continue
        if name.endswith("jobs") or any(name.endswith(word) for word in WEB_MODULES):
            continue
        found = {module.split(".")[0] for module in imports_of(path)}
        assert not found & set(FLASK), f"{path} is a verb and knows {found & set(FLASK)}"
        assert "session.commit(" not in text_of(path), f"{path} commits"


def test_views_never_reach_outside_themselves() -> None:
    outside = ("dns", "tls", "urllib3", "http", "requests", "httpx", "rq", "socket")
    for path in modules():
        if path.stem == "views" and room_of(path) != "serving":
            found = {name.removeprefix("portal.").split(".")[0] for name in imports_of(path)}
            assert not found & set(outside), path


def test_the_rooms_of_a_client_know_only_those_below() -> None:
    """The thing itself, its deployment, its pages: arrows point down here too."""
    floors = {"llm_clients": 0, "deployment": 1, "pages": 2}
    for path in sorted((PORTAL / "llm_clients").rglob("*.py")):
        for name in imports_of(path):
            parts = name.split(".")
            if parts[:2] == ["portal", "llm_clients"] and len(parts) > 2:
                other = floors.get(parts[2], 0)
                assert other <= floors[path.parent.name], f"{path} knows {name}"


def test_imports_are_at_the_top() -> None:
    for path in modules():
        for function in nodes_of(path):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [
                    n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)
                ]
                assert not inner, f"{path}: {function.name} imports inside"


def test_modules_say_what_they_are_for() -> None:
    for path in modules():
        is_told = not text_of(path) or ast.get_docstring(tree_of(path))
        assert is_told, f"{path} has no docstring"


def test_no_room_is_called_after_nothing() -> None:
    empty = {"utils", "helpers", "common", "core", "base", "manager", "service", "misc"}
    names = {path.stem for path in modules()} | {path.parent.name for path in modules()}
    assert not names & empty


def test_clients_are_never_looked_up_by_number_alone() -> None:
    """Every object query starts from the account: a raw get in a view would not."""
    for path in modules():
        if not path.stem.endswith("views"):
            continue
        for node in nodes_of(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("get_one", "get_or_404"), path
