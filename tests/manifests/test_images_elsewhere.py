"""Images in manifests by the command line and the API, and among many documents."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from portal.accounts.models import Account
from portal.database import db, declare_writes
from portal.llm_clients import image_making, images
from portal.llm_clients.image_making import BACKGROUND, LOGO, MadeImage, made_from
from portal.llm_clients.models import LLMClient
from portal.manifests import carrying_out, export, image_data, planning, reading
from portal.manifests import images as image_kind
from tests.api.conftest import MakeProgram
from tests.api.conftest import make_program as make_program
from tests.manifests.applied import client_named
from tests.manifests.pictures import client, digest_of, document, photo, upload
from tests.manifests.test_command import run
from tests.manifests.test_images import images as rows
from tests.manifests.test_images import without_status
from tests.manifests.test_many import alice_of
from tests.people import MakeClient, People

LOGO_FILE, PHOTO = photo("PNG"), photo("JPEG", (300, 200))
GUIDE = client("guide", appLogoUpload=digest_of(LOGO_FILE), appBackgroundUpload=digest_of(PHOTO))
WHOLE = document(LOGO_FILE) + document(PHOTO, BACKGROUND) + GUIDE


def number_of(account_id: int) -> str:
    return db.session.get_one(Account, account_id).account_number


@pytest.fixture
def numbers(people: People, database: None) -> tuple[str, str]:
    """Alice’s account and Charlie’s."""
    found = number_of(people.alice.account_id), number_of(people.charlie.account_id)
    db.session.rollback()
    return found


def test_the_command_takes_an_account_with_its_images_elsewhere(
    numbers: tuple[str, str],
    people: People,
    make_client: MakeClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upload(people.browser(people.alice), make_client("guide"), LOGO_FILE, PHOTO)
    hers, his = numbers
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    assert run("export", "--account", hers, "--output", str(first)) == 0
    assert run("apply", str(first), "--account", his, "--yes") == 0
    told = capsys.readouterr().out
    made = made_from(LOGO_FILE, LOGO)
    assert f"+ Image {made.sha256}" in told
    assert f"      + image/png, 1.8 KB, SHA-256 {made.sha256[:12]}…" in told
    assert image_data.text_of(made.content)[:40] not in told
    assert run("apply", str(first), "--account", his) == 0, "nothing is left to do"
    assert run("export", "--account", his, "--output", str(second)) == 0
    assert without_status(second.read_text()) == without_status(first.read_text())


def test_one_clients_export_has_its_images_and_no_others(
    numbers: tuple[str, str],
    people: People,
    make_client: MakeClient,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    alice = people.browser(people.alice)
    upload(alice, make_client("guide"), LOGO_FILE, PHOTO)
    upload(alice, make_client("other"), photo("PNG", red=9), photo("PNG", red=8))
    capsys.readouterr()
    assert run("export", "--account", numbers[0], "--client", "guide") == 0
    text = capsys.readouterr().out
    assert text.count("kind: Image") == 2
    assert made_from(LOGO_FILE, LOGO).sha256 in text
    path = tmp_path / "guide.yaml"
    path.write_text(text)
    assert run("apply", str(path), "--account", numbers[1], "--yes") == 0


def test_the_command_refuses_with_file_line_and_field(
    numbers: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "logo.yaml"
    path.write_text(document(LOGO_FILE, media_type="image/gif") + client("guide"))
    assert run("apply", str(path), "--account", numbers[0], "--yes") == 2
    told = capsys.readouterr().out
    assert f"{path}:8: mediaType: It says image/gif, but data is image/png." in told
    assert rows() == []
    assert db.session.scalars(db.select(LLMClient)).all() == []


def test_programs_bring_images_too(make_program: MakeProgram, database: None) -> None:
    program, made = make_program(), made_from(PHOTO, BACKGROUND)
    answer = program.call("POST", "/manifests/?dryRun=true", data=WHOLE)
    told = {one["field"]: one["after"] for one in answer["changes"][1]["differences"]}
    assert told["spec.data"] == f"image/webp, 12.1 KB, SHA-256 {made.sha256[:12]}…"
    assert rows() == []
    assert program.call("POST", "/manifests/", data=WHOLE)["applied"]
    text = program.call("GET", "/manifests/")
    assert text.count("kind: Image") == 2
    answer = program.call("POST", "/manifests/", data=text)
    assert {one["action"] for one in answer["changes"]} == {"nothing"}
    hashed_id = client_named("guide").hashed_id
    shown = program.call("GET", f"/clients/{hashed_id}/")
    assert shown["spec"]["appBackgroundUpload"] == made.sha256
    wish = {"spec": {"appLogoUpload": made.sha256}}
    path = f"/clients/{hashed_id}/"
    problem = program.call("PATCH", path, 422, json=wish)
    assert "The account has no logo" in problem["detail"]
    wish = {"spec": {"appBackgroundUpload": ""}}
    assert program.call("PATCH", path, json=wish)["spec"]["appBackgroundUpload"] == ""


def test_programs_are_told_what_is_wrong_with_an_image(
    make_program: MakeProgram, database: None
) -> None:
    text = document(LOGO_FILE, data="***")
    [told] = make_program().call("POST", "/manifests/", 422, data=text)["errors"]
    assert told["field"] == "spec.data"
    assert "data: This is not base64" in told["detail"]


def test_a_program_sends_more_than_a_megabyte(make_program: MakeProgram, database: None) -> None:
    text = document(LOGO_FILE + b"\0" * 1_500_000)
    assert len(text) > 2_000_000
    [change] = make_program().call("POST", "/manifests/", data=text)["changes"]
    assert change["action"] == "create"


def test_clients_of_later_transactions_find_the_image_drawn_once(
    people: People, database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []

    def noted(raw: bytes, kind: str) -> MadeImage:
        drawn.append(kind)
        return image_making.drawn_from(raw, kind)

    monkeypatch.setattr(image_kind, "drawn_from", noted)
    monkeypatch.setattr(planning, "MOST_TOGETHER", 5)
    names = {"appLogoUpload": digest_of(LOGO_FILE), "appBackgroundUpload": digest_of(PHOTO)}
    clients = "".join(client(f"c{number}", **names) for number in range(11))
    documents = reading.documents_of(document(LOGO_FILE) + document(PHOTO, BACKGROUND) + clients)
    person = alice_of(people)
    planned = planning.plan(documents, person)
    assert planned.is_possible
    assert planned.count("create") == 13
    carrying_out.carry_out(documents, person, planned)
    assert len({client_named(f"c{number}").app_logo_upload for number in (0, 6, 10)}) == 1
    assert sorted(drawn) == [BACKGROUND, LOGO]
    assert len(rows()) == 2


def test_an_export_of_many_images_is_not_in_memory(
    people: People, make_client: MakeClient, database: None
) -> None:
    account_id, octets = people.alice.account_id, 500_000
    for number in range(24):
        hashed_id, content = make_client(f"c{number}"), os.urandom(octets)
        declare_writes(True)
        images.keep(account_id, MadeImage(LOGO, "image/png", content, 1, 1))
        row = db.session.scalars(db.select(LLMClient).filter_by(hashed_id=hashed_id)).one()
        row.app_logo_upload = digest_of(content)
        db.session.commit()
    account = db.session.get_one(Account, account_id)
    tracemalloc.start()
    try:
        with export.account_file(account) as file:
            assert file.seek(0, os.SEEK_END) > 24 * octets
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 * octets
