"""Uploaded images as documents: shown as a line, stored once, brought to another account whole."""

from __future__ import annotations

import pytest

from portal.accounts.models import AuditEvent
from portal.database import db, declare_writes
from portal.llm_clients.image_making import BACKGROUND, IS_SVG, LOGO, NOT_AN_IMAGE, made_from
from portal.llm_clients.image_models import ClientImage
from portal.llm_clients.models import LLMClient
from portal.manifests import image_data, reading
from tests.llm_clients.test_images import HTML, SECRET, SVG
from tests.manifests.applied import applied, client_named, planned
from tests.manifests.pictures import client, digest_of, document, photo, upload
from tests.people import Browser, MakeClient, People

LOGO_FILE, PHOTO = photo("PNG"), photo("JPEG", (300, 200))


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def images() -> list[ClientImage]:
    """Every row there is."""
    db.session.rollback()
    declare_writes(False)
    return list(db.session.scalars(db.select(ClientImage).order_by(ClientImage.id)))


def without_status(text: str) -> list[object]:
    """The documents but what the portal saw, and whose the clients are."""
    found = [one.values for one in reading.documents_of(text)]
    for values in found:
        values.pop("status", None)
        values.get("metadata", {}).pop("owner", None)
    return found


def test_a_difference_tells_type_size_and_digest_and_no_octets(
    alice: Browser, database: None
) -> None:
    made = made_from(LOGO_FILE, LOGO)
    page = planned(alice, document(LOGO_FILE))
    shown = page.find("#what-would-change ul.rows").get_text(" ")
    assert f"image/png, 1.8 KB, SHA-256 {made.sha256[:12]}…" in shown
    assert image_data.text_of(LOGO_FILE)[:40] not in shown
    assert images() == []


def test_applying_the_same_file_again_changes_nothing(alice: Browser, database: None) -> None:
    for use in (LOGO, BACKGROUND):
        text = document(PHOTO, use)
        assert "Applied: 1 created." in applied(alice, text).words
        assert "1 as before" in planned(alice, text).words
    logo, background = images()
    assert [one.source_sha256 for one in (logo, background)] == [digest_of(PHOTO)] * 2
    assert digest_of(PHOTO) not in (logo.sha256, background.sha256), "both are drawn anew"
    for row in (logo, background):
        text = document(row.content, row.kind)
        assert "1 as before" in planned(alice, text).words
    without_data = document(PHOTO, BACKGROUND, data=None)
    assert "1 as before" in planned(alice, without_data).words


def test_what_was_uploaded_on_the_page_is_known_by_its_file(
    alice: Browser, make_client: MakeClient, database: None
) -> None:
    upload(alice, make_client(), LOGO_FILE, PHOTO)
    assert "2 as before" in planned(alice, document(LOGO_FILE) + document(PHOTO, BACKGROUND)).words


def test_two_files_that_become_the_same_octets_are_one_image(
    alice: Browser, database: None
) -> None:
    twin = LOGO_FILE + SECRET
    text = document(twin) + client("guide", appLogoUpload=digest_of(twin))
    applied(alice, document(LOGO_FILE))
    assert "1 created, 1 as before" in planned(alice, text).words
    applied(alice, text)
    assert [one.sha256 for one in images()] == [client_named("guide").app_logo_upload]
    assert SECRET not in images()[0].content


def test_a_client_shows_what_it_names_and_is_left_alone_without(
    alice: Browser, database: None
) -> None:
    names = {"appLogoUpload": digest_of(LOGO_FILE), "appBackgroundUpload": digest_of(PHOTO)}
    text = client("guide", **names) + document(PHOTO, BACKGROUND) + document(LOGO_FILE)
    assert "Drawn anew from its pixels" in planned(alice, text).words
    applied(alice, text)
    found = client_named("guide")
    logo, background = (made_from(LOGO_FILE, LOGO), made_from(PHOTO, BACKGROUND))
    shown = found.app_logo_upload, found.app_background_upload
    assert shown == (logo.sha256, background.sha256)
    assert found.newest_revision_number == 1
    assert "1 as before" in planned(alice, client("guide", **names)).words
    assert "1 as before" in planned(alice, client("guide")).words
    applied(alice, client("guide", appLogoUpload=""))
    found = client_named("guide")
    assert (found.app_logo_upload, found.app_background_upload) == ("", background.sha256)
    assert found.newest_revision_number == 2


def test_whoever_did_it_is_in_the_audit_log(alice: Browser, database: None) -> None:
    text = document(LOGO_FILE) + client("guide", appLogoUpload=digest_of(LOGO_FILE))
    applied(alice, text)
    made = made_from(LOGO_FILE, LOGO)
    db.session.rollback()
    query = db.select(AuditEvent).where(AuditEvent.action.in_(["image_added", "created"]))
    added, created = db.session.scalars(query.order_by(AuditEvent.id))
    assert (added.by, added.object_type, added.object_name) == (
        "manifest",
        "ClientImage",
        made.sha256[:12],
    )
    assert added.after["sha256"] == made.sha256 == created.after["app_logo_upload"]
    assert "Image added" in alice.get("/audit/").words


BROKEN = {
    "html": (document(HTML, media_type="image/png"), "data", NOT_AN_IMAGE),
    "svg": (document(SVG, media_type="image/png"), "data", IS_SVG),
    "cut": (document(photo("PNG", (200, 200))[:500]), "data", "The image is damaged"),
    "wrong type": (document(LOGO_FILE, media_type="image/jpeg"), "mediaType", "It says image/jpeg"),
    "no type of ours": (document(LOGO_FILE, media_type="image/tiff"), "mediaType", "must be one"),
    "not base64": (document(LOGO_FILE, data="***"), "data", "This is not base64"),
    "base64 with a gap": (document(LOGO_FILE, data="iVBORw0KGgo"), "data", "This is not base64"),
    "too large": (document(LOGO_FILE, data="A" * 4_100_000), "data", "is larger than 3.0 MB"),
    "other octets": (
        document(LOGO_FILE, data=image_data.text_of(PHOTO), mediaType="image/jpeg"),
        "name",
        "which is " + digest_of(PHOTO),
    ),
    "no use": (document(LOGO_FILE, use=None), "use", "Say what it is for"),  # type: ignore[arg-type]
    "no data": (document(LOGO_FILE, data=None), "data", "The account has no such image yet"),
    "no number": (document(LOGO_FILE, data=7), "data", "must be a text"),
    "no name": (document(LOGO_FILE).replace(digest_of(LOGO_FILE), "logo"), "name", "is named by"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_is_told_with_its_document_and_field(
    name: str, alice: Browser, database: None
) -> None:
    text, field, sentence = BROKEN[name]
    page = planned(alice, text + client("guide"), 422)
    entry = page.find("#what-would-change ul.rows > li")
    words = entry.get_text(" ")
    assert "Image " in words
    assert "Cannot be" in words
    assert field in entry.select_one("ul").get_text()
    assert sentence in words
    alice.post("/manifests/apply", {"text": text + client("guide")}, 422)
    assert images() == []
    assert db.session.scalars(db.select(LLMClient)).all() == []


def test_a_client_cannot_show_what_is_not_there_or_for_something_else(
    alice: Browser, database: None
) -> None:
    applied(alice, document(PHOTO, BACKGROUND))
    page = planned(alice, client("guide", appLogoUpload=digest_of(PHOTO)), 422)
    assert f"appLogoUpload: The account has no logo {digest_of(PHOTO)}" in page.words


def test_an_image_of_another_account_is_nobodys(
    alice: Browser, people: People, database: None
) -> None:
    applied(alice, document(PHOTO, BACKGROUND))
    charlie, [row] = people.browser(people.charlie), images()
    for name in (row.sha256, row.source_sha256):
        page = planned(charlie, client("guide", appBackgroundUpload=name), 422)
        assert f"The account has no background {name}" in page.words
    page = planned(charlie, document(PHOTO, BACKGROUND, data=None), 422)
    assert "The account has no such image yet" in page.words


def test_an_account_comes_to_another_with_its_images(
    alice: Browser, people: People, make_client: MakeClient, database: None
) -> None:
    upload(alice, make_client("guide"), LOGO_FILE, PHOTO)
    charlie, text = people.browser(people.charlie), alice.get("/manifests/export").text
    assert text.count("kind: Image") == 2
    applied(charlie, text)
    assert "as before" in planned(charlie, text).words
    again = charlie.get("/manifests/export").text
    assert without_status(again) == without_status(text)
    found = {(one.account_id, one.sha256) for one in images()}
    accounts = people.alice.account_id, people.charlie.account_id
    digests = {one.sha256 for one in images()}
    assert found == {(account, digest) for account in accounts for digest in digests}
    assert len(digests) == 2


def test_without_proof_of_this_portal_it_is_drawn_anew(
    alice: Browser, people: People, make_client: MakeClient, database: None
) -> None:
    upload(alice, make_client("guide"), LOGO_FILE, PHOTO)
    text = alice.get("/manifests/export").text
    before = {one.kind: one.sha256 for one in images()}
    elsewhere = "\n".join(one for one in text.splitlines() if "proof:" not in one)
    charlie = people.browser(people.charlie)
    applied(charlie, elsewhere)
    his = people.charlie.account_id
    after = {one.kind: one.sha256 for one in images() if one.account_id == his}
    assert after[LOGO] == before[LOGO], "a logo loses nothing"
    assert after[BACKGROUND] != before[BACKGROUND]
    assert "as before" in planned(charlie, elsewhere).words


def test_a_proof_of_something_else_keeps_nothing_hidden(
    alice: Browser, make_client: MakeClient, database: None
) -> None:
    upload(alice, make_client("guide"), LOGO_FILE, PHOTO)
    documents = reading.documents_of(alice.get("/manifests/export").text)
    proofs = [one.values["spec"]["proof"] for one in documents if one.values["kind"] == "Image"]
    assert len(proofs) == 2
    for number, proof in enumerate((*proofs, "", "ü")):
        applied(alice, document(photo("PNG", red=number + 1) + SECRET, proof=proof))
    assert len(images()) == 6
    assert not any(SECRET in one.content for one in images())


def test_only_what_clients_show_is_exported(alice: Browser, database: None) -> None:
    applied(alice, document(LOGO_FILE))
    assert "kind: Image" not in alice.get("/manifests/export").text
    applied(alice, client("guide", appLogoUpload=digest_of(LOGO_FILE)))
    assert alice.get("/manifests/export").text.count("kind: Image") == 1


def test_viewers_add_none(people: People, database: None) -> None:
    people.browser(people.vera).post("/manifests/plan", {"text": document(LOGO_FILE)}, 403)


def test_images_have_room_of_their_own_in_a_text(alice: Browser, database: None) -> None:
    large = photo("PNG", (700, 700)) + b"\0" * reading.LARGEST
    assert "Applied: 1 created." in applied(alice, document(large, BACKGROUND)).words
    padded = f"{document(large, BACKGROUND)}# {'x' * reading.LARGEST}\n---\na: b\n"
    assert "At most 256 kB and 6 MB of images" in planned(alice, padded, 422).words
    many = "".join(document(large, BACKGROUND) for _ in range(20))
    with pytest.raises(reading.NotReadable, match="At most 256 kB and 6 MB of images"):
        reading.documents_of(many)
