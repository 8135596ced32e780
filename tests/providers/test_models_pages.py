"""Vendors to choose from; a provider's models with limits, prices and their origin."""

from __future__ import annotations

import pytest

from portal.accounts.models import Account
from portal.database import db, utc_now
from portal.llm_providers.catalogue import VENDORS
from portal.providers import checking
from portal.providers.models import Provider
from portal.providers.prices import OWN, Price
from tests.people import Browser, MakeClient, Page, People
from tests.planes import Planes

FILLED = {
    "name": "openai",
    "base_url": "https://api.openai.com/v1",
    "default_model": "gpt-4.1",
    "models": "gpt-4.1\nhouse | 8,000 | 500 | 0.15 | 0.075\nstrange",
    "api_key": "",
}


@pytest.fixture
def alice(people: People) -> Browser:
    return people.browser(people.alice)


@pytest.fixture
def provider_id(alice: Browser) -> int:
    return int(alice.post("/providers/new", FILLED).location.split("/")[-2])


def change(planes: Planes, provider_id: int, **values: object) -> None:
    with planes.worker.app_context():
        provider = db.session.get(Provider, provider_id)
        for name, value in values.items():
            setattr(provider, name, value)
        db.session.commit()


def line_of(page: Page, model: str) -> list[str]:
    """The cells of a model's row."""
    for row in page.html.select("tbody tr"):
        if row.code and row.code.get_text() == model:
            return [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]
    raise AssertionError(f"no row for {model}")


def test_every_vendor_is_a_card_that_fills_the_form(alice: Browser) -> None:
    page = alice.get("/providers/new")
    links = {a.get_text(): str(a["href"]) for a in page.html.select(".vendors a")}
    assert list(links) == [vendor.label for vendor in VENDORS if vendor.name != "demo"]
    for vendor in VENDORS[1:]:
        form = alice.get(links[vendor.label])
        assert form.find("input[name=base_url]").get("value", "") == vendor.base_url
        assert form.find("input[name=default_model]").get("value", "") == vendor.default_model
        lines = form.find("textarea[name=models]").get_text().split()
        assert lines == [model.name for model in vendor.models]
        assert vendor.example_url in form.words


def test_a_vendor_as_it_is_can_be_added_at_once(alice: Browser) -> None:
    for name in ("openai", "ollama", "cohere"):
        path = f"/providers/new?vendor={name}"
        page = alice.follow(alice.post(path, alice.get(path).values("main form.card")))
        assert f"{name} is added." in page.words


def test_models_show_limits_prices_and_where_they_are_from(
    alice: Browser, provider_id: int
) -> None:
    page = alice.get(f"/providers/{provider_id}/")
    noted = "The catalogue, 2026-09-07"
    assert line_of(page, "gpt-4.1") == ["1,047,576", "32,768", "US$ 2.00", "US$ 8.00", noted]
    assert line_of(page, "house") == ["8,000", "500", "US$ 0.15", "US$ 0.075", "You"]
    assert line_of(page, "strange") == [*["Unknown"] * 4, "Not known"]
    assert page.find("a[href='https://developers.openai.com/api/docs/pricing']")
    index = alice.get("/providers/")
    assert "US$ 2.00 in, US$ 8.00 out, noted 2026-09-07" in index.words


def test_own_figures_come_before_those_of_the_catalogue(
    planes: Planes, alice: Browser, provider_id: int
) -> None:
    own = {**FILLED, "models": "gpt-4.1 | | 900 | 1 | 0"}
    page = alice.follow(alice.post(f"/providers/{provider_id}/edit", own))
    assert line_of(page, "gpt-4.1") == ["1,047,576", "900", "US$ 1.00", "US$ 0.00", "You"]
    with planes.worker.app_context():
        provider = db.session.get(Provider, provider_id)
        assert provider.price_of("gpt-4.1-2025-04-14", "USD") == Price(1_000_000, 0, OWN)
        assert provider.most_tokens("gpt-4.1-2025-04-14") == 900
        assert provider.most_tokens("gpt-4o") == 16_384
        assert provider.most_tokens("strange") == 1_048_576


def test_dollars_of_the_catalogue_do_not_count_in_another_currency(
    planes: Planes, people: People, alice: Browser, provider_id: int
) -> None:
    with planes.worker.app_context():
        db.session.get(Account, people.alice.account_id).currency = "EUR"
        db.session.commit()
    page = alice.get(f"/providers/{provider_id}/")
    assert "do not count in €; enter your own." in page.words
    assert line_of(page, "gpt-4.1")[2] == "US$ 2.00"
    assert line_of(page, "house")[2] == "€ 0.15"
    with planes.worker.app_context():
        provider = db.session.get(Provider, provider_id)
        assert provider.price_of("gpt-4.1", "EUR") is None
        assert provider.price_of("house", "EUR") == Price(150_000, 75_000, OWN)


def test_a_wrong_line_is_told_and_all_is_kept_as_typed(
    planes: Planes, alice: Browser, provider_id: int
) -> None:
    typed = "gpt-4.1 | 5\n  house ||| 0,15 | 1\n\n"
    path = f"/providers/{provider_id}/edit"
    page = alice.post(path, {**FILLED, "models": typed}, expected=422)
    error = page.find("#models-error").get_text()
    assert "Line 2: the input price must be an amount like 0.15" in error
    assert page.find("textarea[name=models]").get_text().strip("\r\n") == typed.strip("\n")
    with planes.worker.app_context():
        assert len(db.session.get(Provider, provider_id).models) == 3


def test_what_the_form_shows_can_be_sent_back_unchanged(
    planes: Planes, alice: Browser, provider_id: int
) -> None:
    path = f"/providers/{provider_id}/edit"
    form = alice.get(path).values("main form.card")
    lines = ["gpt-4.1", "house | 8000 | 500 | 0.15 | 0.075", "strange"]
    assert form["models"].split("\n") == lines
    with planes.worker.app_context():
        before = db.session.get(Provider, provider_id).models
    alice.post(path, form)
    with planes.worker.app_context():
        assert db.session.get(Provider, provider_id).models == before


def test_models_of_the_last_test_are_shown_and_offered(
    planes: Planes, alice: Browser, provider_id: int
) -> None:
    change(planes, provider_id, found_models=["gpt-4o-2024-08-06", "strange", "whisper-1"])
    page = alice.get(f"/providers/{provider_id}/")
    assert line_of(page, "gpt-4o-2024-08-06")[2] == "US$ 2.50"
    assert line_of(page, "whisper-1")[2] == "Unknown"
    offered = alice.get(f"/providers/{provider_id}/edit").find("pre.names").get_text().split()
    assert offered[:2] == ["gpt-4o-2024-08-06", "whisper-1"]
    assert "gpt-6-luna" in offered
    assert "strange" not in offered


def test_the_longest_answer_of_a_client_is_the_model_s(
    planes: Planes, alice: Browser, provider_id: int, make_client: MakeClient
) -> None:
    path = f"/llm-clients/{make_client('user', provider='openai', default_model='house')}/edit"
    form = alice.get(path).values("main form.card")
    page = alice.post(path, {**form, "default_max_tokens": "501"}, expected=422)
    assert "Must be between 1 and 500" in page.find("#default_max_tokens-error").get_text()


def test_a_provider_without_models_says_what_to_do(alice: Browser) -> None:
    bare = {**FILLED, "name": "bare", "base_url": "https://llm.example.com/v1"}
    page = alice.follow(alice.post("/providers/new", {**bare, "models": "", "default_model": ""}))
    assert "No models yet" in page.words


def test_the_page_follows_a_test_and_then_stops(
    planes: Planes, alice: Browser, provider_id: int
) -> None:
    page = alice.follow(alice.post(f"/providers/{provider_id}/test"))
    status = f"/providers/{provider_id}/status"
    assert page.find("#status")["data-poll-url"] == status
    assert "Being tested" in alice.get(status).words
    change(planes, provider_id, check_state=checking.WORKS, message="It has 2 models.")
    assert "data-poll-url" not in alice.get(status).find("#status").attrs


def test_a_list_that_is_told_without_a_key_tests_none() -> None:
    provider = Provider(name="router", base_url="https://openrouter.ai/api/v1", models=[])
    checking.record_models(provider, ("a", "b"), utc_now())
    assert provider.check_state == checking.UNSURE
    assert provider.message.startswith("It has 2 models, told without a key")


def test_everybody_of_the_account_may_look_and_nobody_else(
    people: People, alice: Browser, provider_id: int
) -> None:
    for path in (f"/providers/{provider_id}/", f"/providers/{provider_id}/status"):
        assert "US$ 2.00" in people.browser(people.vera).get(path).words
        people.browser(people.charlie).get(path, 404)
    page = people.browser(people.vera).get(f"/providers/{provider_id}/")
    assert not page.html.select("main form, main a[href$=edit]")


def test_the_demo_has_a_page_and_costs_nothing(planes: Planes, people: People) -> None:
    with planes.worker.app_context():
        demo = db.session.scalars(
            db.select(Provider.id).filter_by(account_id=people.alice.account_id, name="demo")
        ).one()
    page = people.browser(people.alice).get(f"/providers/{demo}/")
    assert line_of(page, "demo")[1:] == ["4,096", "Free", "Free", "Nobody bills it"]
    assert not page.html.select("main form")
