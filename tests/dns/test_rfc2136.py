"""The editor publishes what is asked for and never touches what somebody else made."""

import base64
import socket
from collections.abc import Callable

import pytest

from portal.dns import Record
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from portal.dns.rfc2136 import Rfc2136ZoneEditor
from portal.errors import AdapterError

pytestmark = pytest.mark.engine_independent

ZONE = "api.example.test"
BOT = Record(f"bot.1234.{ZONE}", "A", ("127.0.0.1",), 60)


def with_values(*values: str) -> Record:
    return Record(BOT.name, "A", values, 60)


def test_publishes_a_record_and_says_so(editor: LocalZoneEditor) -> None:
    published = editor.publish(BOT)

    assert published.changed
    assert BOT.name in published.message
    assert editor.read(BOT.name, "A").values == ("127.0.0.1",)


def test_publishing_twice_changes_nothing(editor: LocalZoneEditor) -> None:
    editor.publish(BOT)
    assert not editor.publish(BOT).changed


@pytest.mark.parametrize(
    "record",
    [
        Record(f"a.{ZONE}", "A", ("127.0.0.1", "127.0.0.2"), 60),
        Record(f"b.{ZONE}", "AAAA", ("::1",), 60),
        Record(f"c.{ZONE}", "CNAME", ("www.customer.test",), 60),
        Record(f"_llm-verify.{ZONE}", "TXT", ('with "quotes", spaces \\ and ünïcode',), 60),
        Record(f"long.{ZONE}", "TXT", ("x" * 700,), 60),
        Record(f"d.{ZONE}", "CAA", ('0 issue "ca.example.test"',), 60),
        Record(f"*.wild.{ZONE}", "A", ("127.0.0.1",), 60),
    ],
    ids=lambda record: record.type,
)
def test_every_type_comes_back_as_it_went_in_and_goes_again(
    editor: LocalZoneEditor, record: Record
) -> None:
    assert editor.publish(record).changed
    assert editor.read(record.name, record.type).values == record.values
    assert not editor.publish(record).changed
    assert editor.withdraw(record).changed
    assert editor.read(record.name, record.type).status != "found"


def test_new_values_take_the_place_of_our_own(editor: LocalZoneEditor) -> None:
    editor.publish(with_values("127.0.0.1"))
    editor.publish(with_values("127.0.0.2", "127.0.0.3"))

    assert editor.read(BOT.name, "A").values == ("127.0.0.2", "127.0.0.3")


def test_another_owners_record_is_neither_overwritten_nor_removed(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    theirs, ours = edit(server.port, owner="somebody"), edit(server.port)
    theirs.publish(with_values("192.0.2.1"))

    with pytest.raises(AdapterError) as caught:
        ours.publish(BOT)
    left = ours.withdraw(BOT)

    assert (caught.value.reason, caught.value.permanent) == ("not_ours", True)
    assert "192.0.2.1" in caught.value.detail
    assert not left.changed
    assert "did not make" in left.message
    assert ours.read(BOT.name, "A").values == ("192.0.2.1",)


def test_a_record_entered_by_hand_is_not_taken_over(editor: LocalZoneEditor) -> None:
    with pytest.raises(AdapterError) as caught:
        editor.publish(Record(f"edge.{ZONE}", "A", ("192.0.2.1",), 60))
    assert caught.value.reason == "not_ours"


def test_an_alias_is_not_put_beside_other_records(editor: LocalZoneEditor) -> None:
    editor.publish(BOT)
    with pytest.raises(AdapterError) as caught:
        editor.publish(Record(BOT.name, "CNAME", ("www.customer.test",), 60))
    assert caught.value.reason == "not_ours"


def test_a_record_that_a_wildcard_answers_right_is_left_to_it(editor: LocalZoneEditor) -> None:
    editor.publish(Record(f"*.{ZONE}", "A", ("127.0.0.1",), 60))
    assert not editor.publish(BOT).changed


def test_a_name_below_a_wildcard_with_another_value_gets_its_own_record(
    editor: LocalZoneEditor,
) -> None:
    editor.publish(Record(f"*.1234.{ZONE}", "A", ("127.0.0.9",), 60))
    assert editor.publish(BOT).changed
    assert editor.read(BOT.name, "A").values == ("127.0.0.1",)


def test_withdrawing_twice_is_no_error(editor: LocalZoneEditor) -> None:
    editor.publish(BOT)

    assert editor.withdraw(BOT).changed
    assert not editor.withdraw(BOT).changed
    assert editor.read(BOT.name, "A").status == "no_name"


def test_a_wrong_secret_is_a_permanent_error(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    wrong = edit(server.port, secret=base64.b64encode(b"not the secret").decode())
    with pytest.raises(AdapterError) as caught:
        wrong.publish(BOT)
    assert (caught.value.reason, caught.value.permanent) == ("bad_key", True)


def test_an_unknown_key_name_is_a_permanent_error(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    with pytest.raises(AdapterError) as caught:
        edit(server.port, key_name="nobody").publish(BOT)
    assert (caught.value.reason, caught.value.permanent) == ("bad_key", True)


def test_a_zone_that_the_server_does_not_have_is_a_permanent_error(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    with pytest.raises(AdapterError) as caught:
        edit(server.port, zone="example").publish(Record("x.example", "AAAA", ("::1",), 60))
    assert (caught.value.reason, caught.value.permanent) == ("no_zone", True)


def test_a_yes_that_is_not_followed_by_the_record_is_an_error(
    forgetful: int, edit: Callable[..., LocalZoneEditor]
) -> None:
    with pytest.raises(AdapterError) as caught:
        edit(forgetful).publish(BOT)
    assert (caught.value.reason, caught.value.permanent) == ("not_applied", True)


@pytest.mark.parametrize("verb", ["publish", "withdraw"])
def test_an_unreachable_server_is_an_error_that_may_pass(
    edit: Callable[..., LocalZoneEditor], verb: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        editor = edit(unused.getsockname()[1])
        with pytest.raises(AdapterError) as caught:
            getattr(editor, verb)(BOT)
        read = editor.read(BOT.name, "A")

    assert (caught.value.reason, caught.value.permanent) == ("unreachable", False)
    assert read.status == "could_not_ask"


@pytest.mark.parametrize(
    "record",
    [
        Record(BOT.name, "A", ("not an address",), 60),
        Record(BOT.name, "A", (), 60),
        Record(BOT.name, "NONSENSE", ("x",), 60),
        Record("a..b", "A", ("127.0.0.1",), 60),
        Record("x" * 64 + f".{ZONE}", "A", ("127.0.0.1",), 60),
        Record(BOT.name, "CAA", ("nonsense",), 60),
    ],
)
def test_a_record_that_no_zone_can_hold_is_refused_before_anything_is_sent(
    editor: LocalZoneEditor, record: Record
) -> None:
    with pytest.raises(AdapterError) as caught:
        editor.publish(record)
    assert (caught.value.reason, caught.value.permanent) == ("invalid_record", True)


def test_the_form_makes_an_editor(server: LocalNameServer) -> None:
    secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4="
    form = {"zone": ZONE, "server": "127.0.0.1", "port": str(server.port), "key_name": "portal-key"}

    editor = Rfc2136ZoneEditor.from_settings(
        {**form, "secret": secret}, allow_private_addresses=True
    )

    assert editor.publish(BOT).changed
    for wrong in ({"secret": "no base64"}, {"secret": secret, "port": "dns"}, {}):
        with pytest.raises(AdapterError) as caught:
            Rfc2136ZoneEditor.from_settings({**form, **wrong})
        assert caught.value.reason == "settings"


def test_a_server_of_our_own_network_is_refused_to_a_customer(server: LocalNameServer) -> None:
    form = {"zone": ZONE, "server": "127.0.0.1", "port": str(server.port), "key_name": "portal-key"}
    editor = Rfc2136ZoneEditor.from_settings({**form, "secret": "YSBzZWNyZXQ="})

    for verb in (editor.try_out, lambda: editor.withdraw(BOT)):
        with pytest.raises(AdapterError) as caught:
            verb()
        assert (caught.value.reason, caught.value.permanent) == ("forbidden_address", True)
    assert editor.read(BOT.name, "A").status == "could_not_ask"


def test_a_server_may_be_named(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor]
) -> None:
    secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4="
    named = Rfc2136ZoneEditor(ZONE, "localhost", server.port, "portal-key", secret)
    nobody = Rfc2136ZoneEditor(ZONE, "nobody.invalid", server.port, "portal-key", secret)

    with pytest.raises(AdapterError) as caught:
        nobody.publish(BOT)

    assert caught.value.reason == "unreachable"
    assert nobody.read(BOT.name, "A").status == "could_not_ask"
    assert named.read(ZONE, "SOA").server.startswith(("127.0.0.1", "::1"))
