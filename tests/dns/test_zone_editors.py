"""What every registered zone editor promises."""

import pytest

from portal.dns import ZONE_EDITORS, AwaitingOwner, Record, zone_editor_class
from portal.dns.manual import ManualZoneEditor

pytestmark = pytest.mark.engine_independent

RECORD = Record("chat.customer.test", "CNAME", ("edge.api.example.test",), 300)


@pytest.mark.parametrize("kind", ZONE_EDITORS)
def test_is_found_by_its_kind_and_describes_its_settings(kind: str) -> None:
    editor = zone_editor_class(kind)

    assert all(field.name.isidentifier() and field.label for field in editor.settings)
    assert all(hasattr(editor, verb) for verb in ("publish", "withdraw", "read", "from_settings"))


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
