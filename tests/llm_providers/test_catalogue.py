"""The vendors are data that can be used as they are."""

from datetime import date
from urllib.parse import urlsplit

import pytest

from portal import outgoing
from portal.llm_providers.catalogue import VENDORS, Model, Vendor, vendor_at, vendor_named

pytestmark = pytest.mark.engine_independent

ASKED_FOR = {
    *("openai", "anthropic", "google", "meta", "mistral", "cohere", "deepseek"),
    *("fireworks", "together", "groq", "openrouter", "ollama", "vllm", "own"),
}
MODELS = [(vendor, model) for vendor in VENDORS for model in vendor.models]


def test_all_that_were_asked_for_are_there() -> None:
    assert {vendor.name for vendor in VENDORS} == {"demo", *ASKED_FOR}
    assert len({vendor.name for vendor in VENDORS}) == len(VENDORS)
    assert len({vendor.label for vendor in VENDORS}) == len(VENDORS)
    assert vendor_named("nobody") is None


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_a_vendor_is_complete(vendor: Vendor) -> None:
    assert vendor.label
    assert vendor.about
    assert date.fromisoformat(vendor.noted_on)
    assert vendor.source.startswith("https://") or vendor.name in ("demo", "own")
    if vendor.default_model:
        assert vendor.model(vendor.default_model)
    else:
        assert vendor.example_url, "what is open has an example"
    names = [model.name for model in vendor.models]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("vendor", VENDORS, ids=lambda vendor: vendor.name)
def test_an_address_can_be_called_as_it_is(vendor: Vendor) -> None:
    for url in filter(None, (vendor.base_url, vendor.example_url)):
        outgoing.check_url(url, vendor.private_address)
        assert not url.endswith("/")
        assert urlsplit(url).scheme == ("http" if vendor.private_address else "https")
    assert vendor.private_address or not vendor.is_free


@pytest.mark.parametrize(
    ("vendor", "model"), MODELS, ids=[f"{vendor.name}-{model.name}" for vendor, model in MODELS]
)
def test_figures_are_whole_and_of_a_day(vendor: Vendor, model: Model) -> None:
    figures = (
        model.context_tokens,
        model.max_output_tokens,
        model.input_price,
        model.output_price,
    )
    assert all(type(figure) is int and figure >= 0 for figure in figures)
    assert bool(model.input_price) == bool(model.output_price), "both are known, or none"
    assert model.output_price >= model.input_price
    assert model.max_output_tokens <= (model.context_tokens or model.max_output_tokens)
    assert date.fromisoformat(vendor.noted(model)) <= date(2026, 11, 27)


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://API.OpenAI.com/v1", "openai"),
        ("https://api.deepseek.com/v1", "deepseek"),
        ("https://api.anthropic.com/v1", "anthropic"),
        ("https://api.anthropic.com.example.org/v1", None),
        ("http://127.0.0.1:11434/v1", None),
        ("", None),
    ],
)
def test_a_vendor_is_known_by_its_host(base_url: str, name: str | None) -> None:
    found = vendor_at(base_url)
    assert (found.name if found else None) == name
