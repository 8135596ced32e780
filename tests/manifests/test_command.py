"""`manifest apply` and `manifest export`: what they print, what they do, how they end."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from portal import cli
from portal.accounts.models import Account, AuditEvent
from portal.database import db, utc_now
from portal.errors import PortalError
from portal.llm_clients.models import LLMClient
from portal.manifests import command, reading
from portal.notices import webhooks
from portal.notices.webhook_models import Webhook
from portal.providers import finding
from portal.providers.models import Provider
from portal.vault import named
from tests.manifests.applied import HEAD
from tests.manifests.test_history_and_webhooks import WEBHOOK
from tests.manifests.test_kinds import PROVIDER
from tests.people import MakeClient, People

CLIENT = f"{HEAD}metadata: {{name: lake_guide}}\nspec: {{defaultSystemRole: You help.}}\n"


@pytest.fixture
def number(people: People, database: None) -> str:
    """Birkenhof's."""
    return db.session.get_one(Account, people.alice.account_id).account_number


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A manifest on disk."""
    path = tmp_path / "lake.yaml"
    path.write_text(CLIENT)
    return path


def run(*words: str) -> int:
    return command.run(cli.parser("manifest").parse_args(["manifest", *words]), utc_now())


def test_a_dry_run_says_what_would_change(
    number: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("apply", str(file), "--account", number, "--dry-run") == 1
    said = capsys.readouterr()
    assert "+ LLMClient lake_guide" in said.out
    assert "spec.defaultSystemRole:\n      + You help." in said.out
    assert "1 to create, 0 to change" in said.out
    assert said.err == ""  # no bar where nobody looks on
    assert db.session.scalars(db.select(LLMClient)).all() == []


def test_nothing_is_done_without_a_yes(
    number: str,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run("apply", str(file), "--account", number) == 1
    assert "Use --yes" in capsys.readouterr().err
    assert db.session.scalars(db.select(LLMClient)).all() == []


def test_it_acts_as_the_accounts_admin_or_as_who_is_named(
    number: str, people: People, file: Path
) -> None:
    assert run("apply", str(file), "--account", number, "--yes") == 0
    assert run("apply", str(file), "--account", number, "--yes") == 0
    file.write_text(CLIENT.replace("lake_guide", "bobs"))
    assert run("apply", str(file), "--account", number, "--yes", "--as", "bob") == 0
    owners = {one.name: one.user_profile_id for one in db.session.scalars(db.select(LLMClient))}
    assert owners == {"lake_guide": people.alice.profile_id, "bobs": people.bob.profile_id}
    events = db.session.scalars(db.select(AuditEvent).filter_by(action="created")).all()
    assert [(event.by, event.user_id) for event in events] == [
        ("cli", people.alice.user_id),
        ("cli", people.bob.user_id),
    ]


def test_problems_are_told_with_file_and_line(
    number: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f"{CLIENT}---\n{HEAD}metadata: {{name: 9}}\n")
    assert run("apply", str(file), "--account", number, "--yes") == 2
    assert f"{file}:8: name must be a text" in capsys.readouterr().out
    assert db.session.scalars(db.select(LLMClient)).all() == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("apply", "/nowhere.yaml"), "There are several accounts."),
        (("apply", "/nowhere.yaml", "--account", "0"), "There is no account 0."),
        (("apply", "/nowhere.yaml", "--account", "own"), "/nowhere.yaml: No such file"),
        (("export", "--account", "own", "--as", "charlie"), "Nobody of this account acts"),
        (("export", "--account", "own", "--client", "none"), "no LLM client none"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(
    number: str, words: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(PortalError) as refused:
        run(*(number if word == "own" else word for word in words))
    assert sentence in refused.value.public_message


def test_an_export_is_what_can_be_applied(
    number: str,
    make_client: MakeClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    db.session.rollback()
    make_client()
    target = tmp_path / "all.yaml"
    assert run("export", "--account", number, "--output", str(target)) == 0
    assert "kind: Account" in target.read_text()
    assert run("apply", str(target), "--account", number, "--dry-run") == 0
    capsys.readouterr()
    assert run("export", "--account", number, "--client", "example") == 0
    assert capsys.readouterr().out.startswith("---\napiVersion: portal/v1\nkind: LLMClient\n")


def test_secrets_are_named_here_too(number: str, people: People, file: Path) -> None:
    named.make(people.alice.account_id, "own-key", "sk-never-shown")
    db.session.commit()
    file.write_text(PROVIDER.replace("  models", "  apiKeySecret: own-key\n  models"))
    assert run("apply", str(file), "--account", number, "--yes") == 0
    provider = db.session.scalars(db.select(Provider).filter_by(name="own")).one()
    assert finding.key_of(provider) == "sk-never-shown"


def test_a_file_that_no_page_takes_is_applied_whole(
    number: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "v" * 60_000
    plugin = "kind: Plugin\nmetadata: {{name: p{0}}}\nspec: {{kind: static, data: {{a: {1}}}}}\n"
    documents = [f"apiVersion: portal/v1\n{plugin.format(one, words)}" for one in range(5)]
    file.write_text("---\n".join(documents))
    assert file.stat().st_size > reading.LARGEST
    assert run("apply", str(file), "--account", number, "--yes") == 0
    assert "5 to create" in capsys.readouterr().out
    target = file.with_name("all.yaml")
    assert run("export", "--account", number, "--output", str(target)) == 0
    assert target.stat().st_size > reading.LARGEST
    assert run("apply", str(target), "--account", number, "--dry-run") == 0


def test_the_secret_of_a_new_webhook_is_printed_once(
    number: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(WEBHOOK)
    assert run("apply", str(file), "--account", number, "--yes") == 0
    webhook = db.session.scalars(db.select(Webhook)).one()
    [secret] = webhooks.secrets_of(webhook, webhook.created_at)
    assert f"Webhook orders: its secret, shown this once: {secret}" in capsys.readouterr().out
    assert run("apply", str(file), "--account", number, "--yes") == 0
    assert secret not in capsys.readouterr().out


class Screen(io.StringIO):
    """Standard error with somebody in front of it."""

    def isatty(self) -> bool:
        return True


def test_who_looks_on_sees_a_bar(
    number: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("---\n".join(CLIENT.replace("lake_guide", f"c{n}") for n in range(4)))
    for words, told in (
        (("apply", str(file), "--yes"), ("4 of 4 planned\n", "2 of 4 applied", "4 of 4 applied\n")),
        (("export", "--output", str(tmp_path / "out.yaml")), ("] 0 of ", "[##########")),
    ):
        screen = Screen()
        monkeypatch.setattr("sys.stderr", screen)
        assert run(*words, "--account", number) == 0
        assert all(one in screen.getvalue() for one in told), screen.getvalue()
