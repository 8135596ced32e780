"""What every registered zone editor promises."""

from collections.abc import Callable

import pytest

from portal.dns import ZONE_EDITORS, AwaitingOwner, Record, ZoneEditor, zone_editor_class
from portal.dns.manual import ManualZoneEditor
from portal.errors import AdapterError
from tests.dns.places import ZONE, Place, place_of

pytestmark = pytest.mark.engine_independent

RECORD = Record("chat.customer.test", "CNAME", ("edge.api.example.test",), 300)
BOT = Record(f"bot.1234.{ZONE}", "A", ("192.0.2.1",), 60)


@pytest.fixture(params=["local", "bind", "knot", "route53", "cloudflare"])
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request.param, request)


@pytest.fixture
def editor(place: Place) -> ZoneEditor:
    return place.editor()


def with_values(*values: str) -> Record:
    return Record(BOT.name, "A", values, 60)


def error_of(act: Callable[[], object]) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        act()
    assert caught.value.public_message.endswith(".")
    return caught.value


@pytest.mark.parametrize("kind", ZONE_EDITORS)
def test_is_found_by_its_kind_and_describes_its_settings(kind: str) -> None:
    editor = zone_editor_class(kind)

    assert all(field.name.isidentifier() and field.label for field in editor.settings)
    verbs = ("publish", "withdraw", "read", "try_out", "from_settings")
    assert all(hasattr(editor, verb) for verb in verbs)


@pytest.mark.parametrize("kind", [kind for kind in ZONE_EDITORS if kind != "manual"])
def test_a_form_without_a_value_makes_no_editor(kind: str) -> None:
    error = error_of(lambda: zone_editor_class(kind).from_settings({"zone": ZONE}))
    assert (error.reason, error.permanent) == ("settings", True)


@pytest.mark.parametrize("kind", ["route53", "cloudflare"])
def test_a_filled_form_makes_an_editor_and_keeps_its_secret_secret(kind: str) -> None:
    fields = zone_editor_class(kind).settings
    editor = zone_editor_class(kind).from_settings({field.name: "filled.in" for field in fields})

    assert any(field.secret for field in fields)
    assert "filled.in" not in repr(editor)


def test_an_unknown_kind_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        zone_editor_class("carrier-pigeon")


def test_editing_by_hand_tells_the_owner_what_to_enter_and_to_remove() -> None:
    editor = ManualZoneEditor.from_settings({})

    for told in (editor.publish(RECORD), editor.withdraw(RECORD)):
        assert isinstance(told, AwaitingOwner)
        assert told.records == (RECORD,)
        assert RECORD.name in told.message
    assert editor.read(RECORD.name, "CNAME").status == "could_not_ask"
    assert "by hand" in editor.try_out()


@pytest.mark.parametrize(
    "record",
    [
        Record(f"a.{ZONE}", "A", ("192.0.2.1", "192.0.2.2"), 60),
        Record(f"b.{ZONE}", "AAAA", ("2001:db8::1",), 60),
        Record(f"c.{ZONE}", "CNAME", ("www.customer.test",), 60),
        Record(f"_llm-verify.{ZONE}", "TXT", ('with "quotes", spaces \\ and ünïcode',), 60),
        Record(f"long.{ZONE}", "TXT", ("x" * 700,), 60),
        Record(f"two.{ZONE}", "TXT", ("first", "second"), 60),
        Record(f"d.{ZONE}", "CAA", ('0 issue "ca.example.test"',), 60),
        Record(f"*.wild.{ZONE}", "A", ("192.0.2.1",), 60),
    ],
    ids=lambda record: f"{record.name.partition('.')[0]} {record.type}",
)
def test_every_type_comes_back_as_it_went_in_and_goes_again(
    editor: ZoneEditor, record: Record
) -> None:
    published = editor.publish(record)

    assert published.changed
    assert record.name in published.message
    assert editor.read(record.name, record.type).values == record.values
    assert not editor.publish(record).changed
    assert editor.withdraw(record).changed
    assert editor.read(record.name, record.type).status in ("no_name", "no_record")


def test_withdrawing_twice_is_no_error(editor: ZoneEditor) -> None:
    editor.publish(BOT)

    assert editor.withdraw(BOT).changed
    assert not editor.withdraw(BOT).changed
    assert editor.read(BOT.name, "A").status == "no_name"


def test_new_values_take_the_place_of_our_own(editor: ZoneEditor) -> None:
    editor.publish(with_values("192.0.2.1"))
    assert editor.publish(with_values("192.0.2.3", "192.0.2.2")).changed
    assert editor.read(BOT.name, "A").values == ("192.0.2.2", "192.0.2.3")


def test_two_types_at_one_name_are_two_things(editor: ZoneEditor) -> None:
    editor.publish(BOT)
    text = Record(BOT.name, "TXT", ("beside",), 60)

    editor.publish(text)
    editor.withdraw(BOT)

    assert editor.read(BOT.name, "A").status == "no_record"
    assert editor.read(BOT.name, "TXT").values == ("beside",)


def test_what_the_owner_entered_is_neither_overwritten_nor_removed(place: Place) -> None:
    editor = place.editor()
    place.by_hand(with_values("192.0.2.66"))

    error, left = error_of(lambda: editor.publish(BOT)), editor.withdraw(BOT)

    assert (error.reason, error.permanent) == ("not_ours", True)
    assert "192.0.2.66" in error.detail
    assert not left.changed
    assert "did not make" in left.message
    assert editor.read(BOT.name, "A").values == ("192.0.2.66",)


def test_another_portals_record_is_not_ours(place: Place) -> None:
    place.editor(owner="somebody").publish(with_values("192.0.2.66"))
    assert error_of(lambda: place.editor().publish(BOT)).reason == "not_ours"


def test_what_already_answers_right_is_left_to_whoever_made_it(place: Place) -> None:
    place.by_hand(BOT)
    assert not place.editor().publish(BOT).changed


def test_an_alias_and_another_record_do_not_share_a_name(place: Place) -> None:
    editor = place.editor()
    alias = Record(BOT.name, "CNAME", ("www.customer.test",), 60)

    place.by_hand(BOT)
    assert error_of(lambda: editor.publish(alias)).reason == "not_ours"

    other = Record(f"alias.{ZONE}", "CNAME", ("www.customer.test",), 60)
    place.by_hand(other)
    assert error_of(lambda: editor.publish(Record(other.name, "A", BOT.values, 60))).permanent


def test_a_name_outside_the_zone_is_refused(editor: ZoneEditor) -> None:
    outside = Record("www.example.test", "A", ("192.0.2.1",), 60)

    for verb in (editor.publish, editor.withdraw):
        error = error_of(lambda verb=verb: verb(outside))
        assert (error.reason, error.permanent) == ("outside_zone", True)


def test_a_value_that_no_zone_can_hold_is_refused(editor: ZoneEditor) -> None:
    for record in (with_values("not an address"), with_values(), Record("a..b", "A", ("::",), 1)):
        error = error_of(lambda record=record: editor.publish(record))
        assert (error.reason, error.permanent) == ("invalid_record", True)


def test_trying_out_writes_removes_and_says_so(editor: ZoneEditor) -> None:
    assert ZONE in editor.try_out()
    assert editor.read(f"_portal-trial.{ZONE}", "TXT").status == "no_name"


@pytest.mark.parametrize("verb", ["publish", "withdraw", "try_out"])
def test_a_wrong_key_is_an_error_for_good(place: Place, verb: str) -> None:
    editor = place.editor(**place.wrong_key)
    arguments = () if verb == "try_out" else (BOT,)

    error = error_of(lambda: getattr(editor, verb)(*arguments))

    assert (error.reason, error.permanent) == ("bad_key", True)


@pytest.mark.parametrize("verb", ["publish", "withdraw", "try_out"])
def test_nobody_there_is_an_error_that_may_pass(place: Place, verb: str) -> None:
    editor = place.editor(**place.nobody_there)
    arguments = () if verb == "try_out" else (BOT,)

    error = error_of(lambda: getattr(editor, verb)(*arguments))

    assert (error.reason, error.permanent) == ("unreachable", False)
    read = editor.read(BOT.name, "A")
    assert (read.status, read.trouble) == ("could_not_ask", "unreachable")
