"""What is particular to Route 53; its promises as a zone editor stand in the contract test."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from portal.dns import Record
from portal.dns.aws_signature import signed_headers
from portal.dns.route53 import Route53ZoneEditor
from portal.errors import AdapterError
from tests.route53_service import KEY_ID, SECRET, Route53Service

pytestmark = pytest.mark.engine_independent

ZONE = "api.example.test"
BOT = Record(f"bot.{ZONE}", "A", ("192.0.2.1",), 60)


@pytest.fixture
def edit(route53_service: Route53Service) -> Callable[..., Route53ZoneEditor]:
    def editor(zone: str = ZONE, **changed: str) -> Route53ZoneEditor:
        settings = {"access_key_id": KEY_ID, "secret_access_key": SECRET, **changed}
        return Route53ZoneEditor(
            zone, **settings, endpoint=route53_service.url, allow_private_addresses=True
        )

    return editor


def error_of(act: Callable[[], object]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        act()
    return caught.value


def test_the_signature_is_the_one_of_amazons_own_example() -> None:
    headers = signed_headers(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        b"",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
        key_id="AKIDEXAMPLE",
        secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        region="us-east-1",
        service="iam",
        now=datetime(2015, 8, 30, 12, 36, tzinfo=UTC),
    )
    signature = headers["Authorization"].rpartition("=")[2]
    assert signature == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


def test_the_closest_public_zone_is_taken_from_a_list_of_many_pages(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.page_size = 2
    for number in range(4):
        route53_service.add_zone(f"n{number}.test")
    around, closest = route53_service.add_zone("example.test"), route53_service.add_zone(ZONE)
    private = route53_service.add_zone(f"bot.{ZONE}", private=True)

    edit().publish(BOT)

    assert (f"{BOT.name}.", "A") in closest.sets
    assert (f"{BOT.name}.", "A") not in {*around.sets, *private.sets}


def test_a_zone_inside_a_hosted_zone_can_be_edited(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    zone = route53_service.add_zone("example.test")
    edit().publish(BOT)
    assert (f"{BOT.name}.", "A") in zone.sets


def test_a_name_with_many_record_sets_is_read_over_pages(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.add_zone(ZONE)
    editor = edit()
    for kind, value in (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("TXT", "x")):
        editor.publish(Record(BOT.name, kind, (value,), 60))
    route53_service.page_size = 1

    assert edit().read(BOT.name, "TXT").values == ("x",)
    assert edit().read(BOT.name, "AAAA").values == ("2001:db8::1",)


def test_an_alias_of_the_providers_own_kind_is_not_ours(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.add_zone(ZONE).aliases[f"{BOT.name}.", "A"] = "balancer.test."
    assert error_of(lambda: edit().publish(BOT)).reason == "not_ours"


def test_an_account_without_the_zone_is_told(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.add_zone("elsewhere.test")
    for verb in (lambda: edit().publish(BOT), lambda: edit().try_out()):
        error = error_of(verb)
        assert (error.reason, error.permanent) == ("no_zone", True)


@pytest.mark.parametrize("own_shape", [False, True])
def test_whoever_comes_in_between_keeps_what_he_entered(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor], own_shape: bool
) -> None:
    zone = route53_service.add_zone(ZONE)
    route53_service.batch_errors_have_their_own_shape = own_shape
    theirs = (60, ["192.0.2.66"])
    route53_service.before_change = lambda: zone.sets.update({(f"{BOT.name}.", "A"): theirs})

    error = error_of(lambda: edit().publish(BOT))

    assert (error.reason, error.permanent) == ("not_ours", True)
    assert "already exists" in error.detail
    assert zone.sets[f"{BOT.name}.", "A"] == theirs


def test_a_change_is_not_read_before_it_is_on_all_servers(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.add_zone(ZONE)
    route53_service.pending = 1
    editor = edit()
    editor.publish(BOT)

    first, second = editor.read(BOT.name, "A"), editor.read(BOT.name, "A")

    assert (first.status, second.status) == ("could_not_ask", "found")
    assert "on its way" in first.detail


@pytest.mark.parametrize(
    ("code", "reason", "permanent"),
    [
        ("Throttling", "throttled", False),
        ("PriorRequestNotComplete", "throttled", False),
        ("InternalFailure", "refused", False),
        ("AccessDenied", "bad_key", True),
        ("InvalidInput", "refused", True),
    ],
)
def test_an_error_of_the_service_says_whether_it_may_pass(
    route53_service: Route53Service,
    edit: Callable[..., Route53ZoneEditor],
    code: str,
    reason: str,
    permanent: bool,
) -> None:
    route53_service.add_zone(ZONE)
    route53_service.fault = code

    error = error_of(lambda: edit().publish(BOT))
    read = edit().read(BOT.name, "A")

    assert (error.reason, error.permanent) == (reason, permanent)
    assert code in error.detail
    assert SECRET not in error.detail + str(error)
    assert (read.status, read.trouble) == (
        "could_not_ask",
        "refused" if permanent else "unreachable",
    )


def test_an_unknown_key_is_refused(
    route53_service: Route53Service, edit: Callable[..., Route53ZoneEditor]
) -> None:
    route53_service.add_zone(ZONE)
    assert error_of(lambda: edit(access_key_id="AKIDOTHER").publish(BOT)).reason == "bad_key"
