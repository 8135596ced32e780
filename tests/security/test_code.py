"""X3, S1, Q1: what the code itself never does, read from its syntax."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from portal.dns.http_api import Reply
from portal.dns.route53 import parsed
from portal.errors import AdapterError
from tests.syntax import PORTAL, modules, nodes_of

pytestmark = pytest.mark.engine_independent

ROOT = PORTAL.parent


@cache
def calls() -> list[tuple[Path, ast.Call, str]]:
    """Module, call, and what is called."""
    return [
        (path, node, ast.unparse(node.func))
        for path in modules()
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
    ]


def test_x3_no_template_is_made_of_data() -> None:
    found = {name for _, _, name in calls()}
    assert "render_template" in found
    for name in found:
        last = name.rpartition(".")[2]
        assert last not in ("render_template_string", "from_string", "Template"), name


def test_x3_no_text_becomes_code() -> None:
    """Nor a program's words a shell's."""
    for path, call, name in calls():
        assert name not in ("eval", "exec", "os.system", "os.popen", "pickle.loads"), path
        assert not any(word.arg == "shell" for word in call.keywords), f"{path}: a shell"
        if name == "compile":
            raise AssertionError(f"{path} compiles text")


def test_q1_nothing_that_runs_what_it_reads_is_imported() -> None:
    for path in modules():
        for node in nodes_of(path):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                assert name.partition(".")[0] not in ("pickle", "shelve", "marshal", "dill"), path


# Who opens connections by itself, and to whom.
OPENERS = {
    "outgoing.py": "whomever a stranger names, every address checked",
    "tls/edge_certificates.py": "the portal's own internal plane",
    "tls/kubernetes_api.py": "the operator's cluster",
    "supervisor/__main__.py": "a process of ours on loopback",
}
DOORS = ("PoolManager", "HTTPConnectionPool", "HTTPSConnectionPool", "HTTPConnection", "urlopen")


def test_s1_only_the_guarded_door_leads_outside() -> None:
    who = {
        str(path.relative_to(PORTAL))
        for path, _, name in calls()
        if name.rpartition(".")[2] in DOORS
    }
    assert who <= set(OPENERS)
    assert "outgoing.py" in who
    for path in modules():
        for node in nodes_of(path):
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names}
                found = names & {"requests", "httpx", "aiohttp", "pycurl"}
                assert not found or path.name == "acme_client.py", path  # the operator's authority


def test_no_script_of_ours_keeps_anything_in_the_browser() -> None:
    """The chat's session is a cookie that scripts do not see."""
    scripts = sorted((ROOT / "static").glob("*.js"))
    assert len(scripts) > 10
    for script in scripts:
        source = script.read_text()
        for word in ("localStorage", "sessionStorage", "indexedDB", "document.cookie", "caches."):
            assert word not in source, f"{script.name}: {word}"


@pytest.mark.parametrize(
    "declared",
    [
        '<!ENTITY a SYSTEM "file:///etc/hostname">',
        '<!ENTITY b "bbbbbbbbbb"><!ENTITY a "&b;&b;&b;&b;&b;&b;&b;&b;">',
    ],
)
def test_xml_with_entities_is_not_read(declared: str) -> None:
    body = f"<?xml version='1.0'?><!DOCTYPE x [{declared}]><x>&a;</x>".encode()
    with pytest.raises(AdapterError):
        parsed(Reply(200, body))
    assert parsed(Reply(200, b"<x>a</x>")).text == "a"


OWN_SCRIPTS = sorted((ROOT / "static").glob("*.js"))


@pytest.mark.parametrize("script", OWN_SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_ours_lets_a_name_from_outside_reach_a_prototype(script: Path) -> None:
    """Nothing is merged into objects; where a variable names a property, it has no prototype."""
    source = script.read_text()
    for word in ("__proto__", ".prototype", ".constructor", "setPrototypeOf", "defineProperty"):
        assert word not in source, word
    assert re.findall(r"\bfor \((?:const|let|var) \w+ in\b", source) == []
    for target in re.findall(r"Object\.assign\(([^,]+),", source):
        assert target.endswith(".dataset"), target
    for target in re.findall(r"(\w+)\[(?!\d|\"|')[^\]]+\]\s*=[^=>]", source):
        assert f"const {target} = Object.create(null);" in source, target
