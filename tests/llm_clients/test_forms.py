"""The form of a client against everything that people, scripts and accidents put into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.database import db
from portal.llm_clients.models import LLMClient, LLMClientRevision
from portal.providers.models import Provider
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

NEW = "/llm-clients/new"
LONGEST = 300_000
FILLED = {
    "name": "Museum_Guide",
    "description": "For the foyer",
    "version": "2.1.0-beta.1",
    "tags": "press, museum",
    "annotations": '{"team": "support", "floor": 2}',
    "provider": "demo",
    "default_model": "demo",
    "default_system_role": "You are Klara.\nYou know the museum.",
    "default_temperature": "0",
    "default_max_tokens": "256",
    "functions": ["date_calculator", "calculator"],
    "app_name": "Museum",
    "app_assistant": "Klara",
    "app_welcome_message": "Grüß Gott 👋",
    "app_placeholder": "Ask me",
    "app_info_url": "https://museum.example/info",
    "app_example_prompts": "What is on today?\nWhere is the café?",
    "app_logo_url": "https://museum.example/logo.png",
    "app_background_image_url": "http://museum.example/back.jpg",
    "app_file_attachment": "y",
    "note": "The first one",
}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


def stored_rows(planes: Planes) -> tuple[int, int]:
    with planes.worker.app_context():
        count = db.select(db.func.count())
        return (
            db.session.scalar(count.select_from(LLMClient)) or 0,
            db.session.scalar(count.select_from(LLMClientRevision)) or 0,
        )


def assert_refused(page: Page, field: str, sentence: str, typed: dict[str, Any]) -> None:
    """The sentence stands beside the field and in the summary; nothing that was typed is lost."""
    beside = page.find(f"#{field}-error").get_text(" ").split()
    assert beside[0] == "Error:"
    assert sentence in " ".join(beside)
    summary = page.find("section[role=alert]")
    link = summary.select_one(f"a[href='#{field}']")
    assert link, "the summary links to the field"
    assert sentence in link.get_text()
    control = page.find(f"#{field}")
    assert "is-invalid" in control.get("class", []) or control.name == "fieldset"
    assert page.find("title").get_text().startswith("Error:")
    for name, value in typed.items():
        assert value_of(page, name) == value, f"{name} was not kept"


def value_of(page: Page, name: str) -> Any:
    fields = page.fields[name]
    if fields[0].get("type") == "checkbox":
        checked = [str(field["value"]) for field in fields if field.has_attr("checked")]
        return checked if len(fields) > 1 else (checked or [""])[0]
    if fields[0].name == "textarea":
        return fields[0].get_text().removeprefix("\r\n").removeprefix("\n")
    if fields[0].name == "select":
        return str(fields[0].select_one("option[selected]")["value"])
    return str(fields[0]["value"])


def test_every_field_is_stored_as_it_was_typed(planes: Planes, alice: Browser) -> None:
    created = alice.post(NEW, FILLED)
    page = alice.get(created.location + "edit")
    values = {name: value_of(page, name) for name in FILLED if name != "note"}
    assert values.pop("annotations").split() == ["{", '"team":', '"support",', '"floor":', "2", "}"]
    assert values.pop("tags") == "museum, press"
    assert values.pop("default_temperature") == "0.0"
    expected = {name: FILLED[name] for name in values}
    assert values == expected
    with planes.worker.app_context():
        [llm_client] = db.session.scalars(db.select(LLMClient)).all()
        assert llm_client.default_temperature == 0, "0 is a value, not unset"
        assert llm_client.app_example_prompts == ["What is on today?", "Where is the café?"]
        assert llm_client.annotations == {"team": "support", "floor": 2}


OBJECT = 'Must be a JSON object, such as {"team": "support"}.'
ADDRESS = "Must be a web address that starts with https://"
CHARACTER = "Contains a character that cannot be stored."
BAD = [
    ("name", "", "Give the client a name."),
    ("name", "1st", "Must start with a letter"),
    ("name", "has space", "Must start with a letter"),
    ("name", "dot.dot", "Must start with a letter"),
    ("name", "café", "Must start with a letter"),
    ("name", "a\nb", "Must start with a letter"),
    ("name", "<b>bold</b>", "Must start with a letter"),
    ("name", "nul\x00", "Must start with a letter"),
    ("name", "x" * 256, "Must be at most 255 characters."),
    ("version", "", "Must be a semantic version such as 1.0.0."),
    ("version", "1.0", "Must be a semantic version such as 1.0.0."),
    ("version", "01.0.0", "Must be a semantic version such as 1.0.0."),
    ("version", "1.0.0\n", "Must be a semantic version such as 1.0.0."),
    ("description", "x" * 2001, "Must be at most 2,000 characters."),
    ("tags", ", ".join(f"t{number}" for number in range(21)), "At most 20 tags."),
    ("tags", "x" * 51, "Each tag must be at most 50 characters."),
    ("annotations", "{", OBJECT),
    ("annotations", "[1]", OBJECT),
    ("annotations", "5", OBJECT),
    ("annotations", "true", OBJECT),
    ("annotations", '"text"', OBJECT),
    ("annotations", '{"a": NaN}', OBJECT),
    ("annotations", '{"a": 1e999}', OBJECT),
    ("annotations", '{"a": -Infinity}', OBJECT),
    ("annotations", '{"a": ' + "9" * 5000 + "}", OBJECT),
    ("annotations", "[" * 9000, OBJECT),
    ("annotations", '{"a":' * 200 + "1" + "}" * 200, "Must be at most 20 levels deep."),
    ("annotations", '{"a": "' + "x" * 20_001 + '"}', "Must be at most 20,000 characters."),
    ("annotations", '{"a": "\\u0000"}', CHARACTER),
    ("annotations", '{"a": "\\ud800"}', CHARACTER),
    ("annotations", '{"\\udfff": 1}', CHARACTER),
    ("default_model", "gpt-9", "The demo provider has only"),
    ("default_model", "x" * 201, "Must be at most 200 characters."),
    ("default_system_role", "x" * 100_001, "Must be at most 100,000 characters."),
    ("default_temperature", "nan", "Must be between 0 and 2"),
    ("default_temperature", "inf", "Must be between 0 and 2"),
    ("default_temperature", "-0.1", "Must be between 0 and 2"),
    ("default_temperature", "2.01", "Must be between 0 and 2"),
    ("default_temperature", "warm", "Must be between 0 and 2"),
    ("default_temperature", "", "Must be between 0 and 2"),
    ("default_max_tokens", "0", "Must be between 1 and"),
    ("default_max_tokens", "-1", "Must be between 1 and"),
    ("default_max_tokens", "9" * 30, "Must be between 1 and"),
    ("default_max_tokens", "9" * 5000, "Must be between 1 and"),
    ("default_max_tokens", "1.5", "Must be between 1 and"),
    ("default_max_tokens", "", "Must be between 1 and"),
    ("app_welcome_message", "x" * 5001, "Must be at most 5,000 characters."),
    ("app_example_prompts", "\n".join("abcdefg"), "At most 6 example prompts."),
    ("app_example_prompts", "x" * 501, "Each example must be at most 500 characters."),
    ("app_logo_url", "javascript:alert(1)", ADDRESS),
    ("app_logo_url", "data:image/png;base64,AA==", ADDRESS),
    ("app_logo_url", "museum.example/logo.png", ADDRESS),
    ("app_logo_url", "//museum.example/logo.png", ADDRESS),
    ("app_logo_url", "https://", ADDRESS),
    ("app_logo_url", "https://[::1", ADDRESS),
    ("app_logo_url", "ftp://museum.example/", ADDRESS),
    ("app_logo_url", "https://museum.example/a b", ADDRESS),
    ("app_logo_url", "https://museum.example/a\x00b", ADDRESS),
    ("app_logo_url", "https://museum.example/" + "x" * 2048, "Must be at most 2,048 characters."),
    ("app_info_url", " javascript:alert(1)", ADDRESS),
    ("app_background_image_url", "JaVaScRiPt:alert(1)", ADDRESS),
]
NUL_FIELDS = (
    "description",
    "tags",
    "default_model",
    "default_system_role",
    "app_name",
    "app_assistant",
    "app_welcome_message",
    "app_placeholder",
    "app_example_prompts",
    "note",
)
BAD += [(field, "a\x00b", CHARACTER) for field in NUL_FIELDS]
CHOICES = ("provider", "functions", "app_file_attachment")
LARGE_FIELDS = [field for field in FILLED if field not in CHOICES]


@pytest.mark.parametrize(
    ("field", "value", "sentence"), BAD, ids=[f"{f}-{v[:12]!a}" for f, v, _ in BAD]
)
def test_bad_input_is_refused_in_words_and_nothing_is_lost(
    field: str, value: str, sentence: str, planes: Planes, alice: Browser
) -> None:
    page = alice.post(NEW, {**FILLED, field: value}, expected=422)
    others = {name: typed for name, typed in FILLED.items() if name != field}
    assert_refused(page, field, sentence, others)
    if field != "name" and "\x00" not in value:
        assert value_of(page, field) == value.replace("\n", "\r\n").replace("\r\n", "\n")
    assert stored_rows(planes) == (0, 0)


def test_choices_that_are_not_offered_are_refused(planes: Planes, alice: Browser) -> None:
    page = alice.post(NEW, {**FILLED, "provider": "nobody"}, expected=422)
    assert "The account has no such provider." in page.find("#provider-error").get_text()
    page = alice.post(NEW, {**FILLED, "functions": ["calculator", "rm"]}, expected=422)
    assert "There is no function named rm." in page.find("#functions-error").get_text()
    assert stored_rows(planes) == (0, 0)


def test_a_provider_of_another_account_is_not_offered(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        db.session.add(
            Provider(
                account_id=people.charlie.account_id,
                name="theirs",
                base_url="http://127.0.0.1:9/v1",
                default_model="m",
            )
        )
        db.session.commit()
    alice = people.browser(people.alice)
    assert "theirs" not in alice.get(NEW).text
    alice.post(NEW, {**FILLED, "provider": "theirs", "default_model": "m"}, expected=422)
    people.browser(people.charlie).post(
        NEW, {**FILLED, "provider": "theirs", "default_model": "m"}, expected=303
    )


@pytest.mark.parametrize("field", LARGE_FIELDS)
def test_hundreds_of_kilobytes_in_a_field_are_a_sentence(
    field: str, planes: Planes, alice: Browser
) -> None:
    page = alice.post(NEW, {**FILLED, field: "x" * LONGEST}, expected=422)
    assert page.find(f"#{field}-error")
    assert stored_rows(planes) == (0, 0)


def test_more_than_a_megabyte_is_not_read(planes: Planes, alice: Browser) -> None:
    page = alice.post(NEW, {**FILLED, "default_system_role": "x" * 1_000_001}, expected=413)
    assert "longer than we accept" in page.words
    assert stored_rows(planes) == (0, 0)


def test_half_a_surrogate_pair_cannot_break_the_form(planes: Planes, alice: Browser) -> None:
    body = f"csrf_token={alice.token()}&name=half&provider=demo&default_model=demo&version=1.0.0"
    body += "&default_temperature=1&default_max_tokens=1&description=a%ED%A0%80b%FFc"
    answer = alice.raw("POST", NEW, data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 303
    alice.get(answer.headers["Location"], 200)


def test_several_mistakes_are_told_together(alice: Browser) -> None:
    bad = {**FILLED, "name": "1st", "version": "x", "default_temperature": "3"}
    page = alice.post(NEW, bad, expected=422)
    assert "Three things to correct" in page.find("section[role=alert]").get_text()


def test_a_taken_name_names_the_client_that_has_it(
    planes: Planes, alice: Browser, make_client: MakeClient
) -> None:
    make_client("My_Bot")
    before = stored_rows(planes)
    for name in ("My_Bot", "my-bot", "MY-BOT", "my__bot", "my-bot-"):
        page = alice.post(NEW, {**FILLED, "name": name}, expected=422)
        assert_refused(
            page,
            "name",
            "The client My_Bot already has the address my-bot.",
            FILLED | {"name": name},
        )
    assert stored_rows(planes) == before


def test_another_owner_may_use_the_same_name(
    people: People, make_client: MakeClient, stored: Callable[[str], LLMClient]
) -> None:
    make_client("guide")
    created = people.browser(people.bob).post(NEW, {**FILLED, "name": "guide"})
    public_id = created.location.split("/")[2]
    assert stored(public_id).default_host.startswith("guide.bob.")


def test_fields_that_are_not_on_the_form_change_nothing(
    planes: Planes, people: People, alice: Browser
) -> None:
    smuggled = {
        "deployed": "y",
        "account_id": str(people.charlie.account_id),
        "user_profile_id": str(people.charlie.profile_id),
        "dns_verification_status": "Verified",
        "tls_certificate_issuance_status": "Issued",
        "hashed_id": "a" * 20,
        "id": "77",
        "published_revision_id": "1",
        "newest_revision_number": "99",
    }
    created = alice.post(NEW, {**FILLED, **smuggled})
    alice.post(created.location + "edit", {**FILLED, **smuggled, "app_name": "Changed"})
    with planes.worker.app_context():
        [llm_client] = db.session.scalars(db.select(LLMClient)).all()
    assert llm_client.app_name == "Changed"
    assert not llm_client.deployed
    assert llm_client.account_id == people.alice.account_id
    assert llm_client.user_profile_id == people.alice.profile_id
    assert llm_client.dns_verification_status == "Not Verified"
    assert llm_client.tls_certificate_issuance_status == "No Certificate"
    assert llm_client.published_revision_id is None
    assert llm_client.newest_revision_number == 2


def test_editing_refuses_alike_and_keeps_what_is_stored(
    planes: Planes, alice: Browser, make_client: MakeClient, stored: Callable[[str], LLMClient]
) -> None:
    hashed_id = make_client("example", app_name="Before")
    make_client("other")
    before = stored_rows(planes)
    for field, value in (("default_temperature", "9"), ("name", "other"), ("name", "")):
        path = f"/llm-clients/{hashed_id}/edit"
        page = alice.post(path, {**FILLED, "name": "example", field: value}, expected=422)
        assert_refused(page, field, "", {"app_name": FILLED["app_name"]})
    assert stored_rows(planes) == before
    assert stored(hashed_id).app_name == "Before"


def test_a_provider_that_is_gone_is_not_exchanged_in_silence(
    alice: Browser, make_client: MakeClient
) -> None:
    path = f"/llm-clients/{make_client('example', provider='gone', default_model='m')}/edit"
    page = alice.get(path)
    assert page.find("select[name=provider] option[selected]")["value"] == "gone"
    refused = alice.post(path, page.values("main form.card"), expected=422)
    assert "The account has no such provider." in refused.find("#provider-error").get_text()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Museum_Guide", "Yours and free. Capitals became small letters. The _ became a -."),
        ("example", "The client example already has the address"),
        ("a b", "Must start with a letter"),
        ("", "The address appears while you type the name."),
        ("x" * 200, "It was cut to fit."),
    ],
)
def test_the_address_is_shown_while_the_name_is_typed(
    name: str, expected: str, alice: Browser, make_client: MakeClient
) -> None:
    make_client("example")
    page = alice.get("/llm-clients/hostname-preview", query_string={"name": name})
    assert expected in page.words
    assert "<html" not in page.text, "a fragment, not a page"


def test_the_own_name_is_free_for_oneself(alice: Browser, make_client: MakeClient) -> None:
    query = {"name": "Example", "llm_client": make_client("example")}
    page = alice.get("/llm-clients/hostname-preview", query_string=query)
    assert "Yours and free." in page.words
    for strange in ("²", "9" * 30, "nobody", "'"):
        query = {"name": "new", "llm_client": strange}
        assert (
            "Yours and free."
            in alice.get("/llm-clients/hostname-preview", query_string=query).words
        )
