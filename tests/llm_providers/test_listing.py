"""How a vendor is asked for its models."""

import pytest

from portal.llm_providers.listing import headers_for

pytestmark = pytest.mark.engine_independent


@pytest.mark.parametrize(
    ("base_url", "sent"),
    [
        ("https://api.openai.com/v1", {"Authorization": "Bearer key"}),
        ("https://llm.example.com/v1", {"Authorization": "Bearer key"}),
        (
            "https://api.anthropic.com/v1",
            {"x-api-key": "key", "anthropic-version": "2023-06-01"},
        ),
        ("https://api.anthropic.com.example.com/v1", {"Authorization": "Bearer key"}),
    ],
)
def test_the_key_goes_where_the_vendor_wants_it(base_url: str, sent: dict[str, str]) -> None:
    usual = {"Accept", "Accept-Encoding", "User-Agent"}
    headers = headers_for(base_url, "key")
    assert {name: headers[name] for name in headers if name not in usual} == sent


def test_without_a_key_none_is_sent() -> None:
    for base_url in ("https://api.openai.com/v1", "https://api.anthropic.com/v1"):
        assert not {"Authorization", "x-api-key"} & set(headers_for(base_url, ""))
