"""What is particular to Cloudflare; its promises as a zone editor stand in the contract test."""

from collections.abc import Callable

import pytest

from portal.dns import Record
from portal.dns.cloudflare import CloudflareZoneEditor
from portal.errors import AdapterError
from tests.cloudflare_service import TOKEN, CloudflareService

pytestmark = pytest.mark.engine_independent

ZONE = "api.example.test"
BOT = Record(f"bot.{ZONE}", "A", ("192.0.2.1",), 60)


@pytest.fixture
def edit(cloudflare_service: CloudflareService) -> Callable[..., CloudflareZoneEditor]:
    def editor(zone: str = ZONE, token: str = TOKEN) -> CloudflareZoneEditor:
        return CloudflareZoneEditor(
            zone, token, endpoint=cloudflare_service.url, allow_private_addresses=True
        )

    return editor


def error_of(act: Callable[[], object]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        act()
    return caught.value


def by_hand(kind: str, content: str, **more: object) -> dict[str, object]:
    return {"type": kind, "name": BOT.name, "content": content, "ttl": 60, **more}


def test_the_closest_zone_is_taken(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    around, closest = cloudflare_service.add_zone("example.test"), cloudflare_service.add_zone(ZONE)

    edit().publish(BOT)

    assert len(cloudflare_service.records[closest]) == 2
    assert cloudflare_service.records[around] == []


def test_a_zone_inside_a_zone_of_the_account_can_be_edited(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    zone = cloudflare_service.add_zone("example.test")
    edit().publish(BOT)
    assert {one["name"] for one in cloudflare_service.records[zone]} > {BOT.name}


def test_a_set_of_many_records_is_read_over_pages(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    cloudflare_service.add_zone(ZONE)
    cloudflare_service.page_size = 2
    many = Record(BOT.name, "A", tuple(f"192.0.2.{n}" for n in range(11, 18)), 60)

    edit().publish(many)

    assert edit().read(BOT.name, "A").values == many.values


def test_lifetimes_are_kept_within_what_is_allowed_and_nothing_is_proxied(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    zone = cloudflare_service.add_zone(ZONE)
    edit().publish(Record(BOT.name, "A", BOT.values, 5))

    record = next(one for one in cloudflare_service.records[zone] if one["type"] == "A")
    assert (record["ttl"], record["proxied"]) == (60, False)


def test_a_proxied_record_with_our_value_answers_otherwise(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    zone = cloudflare_service.add_zone(ZONE)
    cloudflare_service.create(zone, by_hand("A", "192.0.2.1", proxied=True))
    assert error_of(lambda: edit().publish(BOT)).reason == "not_ours"


def test_an_account_without_the_zone_is_told(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    cloudflare_service.add_zone("elsewhere.test")
    for verb in (lambda: edit().publish(BOT), lambda: edit().try_out()):
        error = error_of(verb)
        assert (error.reason, error.permanent) == ("no_zone", True)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (by_hand("A", "192.0.2.1"), 81058),
        (by_hand("CNAME", "elsewhere.test"), 81054),
    ],
)
def test_whoever_comes_in_between_keeps_what_he_entered(
    cloudflare_service: CloudflareService,
    edit: Callable[..., CloudflareZoneEditor],
    record: dict[str, object],
    code: int,
) -> None:
    zone = cloudflare_service.add_zone(ZONE)
    cloudflare_service.before_change = lambda: cloudflare_service.create(zone, record)

    error = error_of(lambda: edit().publish(BOT))

    assert (error.reason, error.permanent) == ("not_ours", True)
    assert str(code) in error.detail
    assert [one["type"] for one in cloudflare_service.records[zone]] == [record["type"]]


def test_another_value_that_comes_in_between_is_noticed(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor]
) -> None:
    zone = cloudflare_service.add_zone(ZONE)
    theirs = by_hand("A", "192.0.2.66")
    cloudflare_service.before_change = lambda: cloudflare_service.create(zone, theirs)

    assert error_of(lambda: edit().publish(BOT)).reason == "not_applied"


@pytest.mark.parametrize(
    ("fault", "reason", "permanent"),
    [
        ((429, 971), "throttled", False),
        ((400, 10000), "bad_key", True),
        ((403, 9109), "bad_key", True),
        ((500, 1), "refused", False),
        ((400, 1), "refused", True),
    ],
)
def test_an_error_of_the_service_says_whether_it_may_pass(
    cloudflare_service: CloudflareService,
    edit: Callable[..., CloudflareZoneEditor],
    fault: tuple[int, int],
    reason: str,
    permanent: bool,
) -> None:
    cloudflare_service.add_zone(ZONE)
    cloudflare_service.fault = fault

    error = error_of(lambda: edit().publish(BOT))

    assert (error.reason, error.permanent) == (reason, permanent)
    assert TOKEN not in error.detail + str(error)


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"[]", b"{"])
def test_an_answer_that_is_none_may_pass(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor], body: bytes
) -> None:
    cloudflare_service.broken = body
    error = error_of(lambda: edit().publish(BOT))
    assert (error.reason, error.permanent) == ("unreachable", False)


@pytest.mark.parametrize("token", ["shrt", "ünïcode-token", "two\nlines-of-token"])
def test_a_token_that_is_none_is_refused(
    cloudflare_service: CloudflareService, edit: Callable[..., CloudflareZoneEditor], token: str
) -> None:
    cloudflare_service.add_zone(ZONE)
    assert error_of(lambda: edit(token=token).publish(BOT)).reason == "bad_key"
