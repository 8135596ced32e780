"""Dynamic updates: conditional, signed, kept through a crash."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.update
import pytest

from portal.dns import Record
from portal.dns.local import LocalZoneEditor
from portal.dns.local_server import LocalNameServer
from portal.errors import AdapterError

pytestmark = pytest.mark.engine_independent

ZONE = "api.example.test"
BOT = Record(f"bot.1234.{ZONE}", "A", ("127.0.0.1",), 60)


@pytest.fixture
def send(server: LocalNameServer) -> Callable[..., str]:
    """Send an update built by the caller; the key is the right one unless given."""
    secret = "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4="
    right_key = dns.tsig.Key("portal-key.", secret, "hmac-sha256")

    def build_and_send(
        build: Callable[[dns.update.UpdateMessage], Any], *, zone: str = ZONE, signed: bool = True
    ) -> str:
        update = dns.update.UpdateMessage(zone)
        build(update)
        if signed:
            update.use_tsig(right_key)
        answer = dns.query.tcp(update, "127.0.0.1", port=server.port, timeout=2)
        return dns.rcode.to_text(answer.rcode())

    return build_and_send


def test_an_unsigned_update_is_refused(send: Callable[..., str], editor: LocalZoneEditor) -> None:
    assert send(lambda update: update.add("x", 60, "A", "127.0.0.1"), signed=False) == "REFUSED"
    assert editor.read(f"x.{ZONE}", "A").status == "no_name"


def test_an_update_of_a_zone_that_is_not_served_is_refused(send: Callable[..., str]) -> None:
    assert send(lambda update: None, zone="example") == "NOTAUTH"


def test_a_name_outside_the_zone_is_refused(send: Callable[..., str]) -> None:
    outside = dns.name.from_text("www.customer.test.")
    assert send(lambda update: update.add(outside, 60, "A", "127.0.0.1")) == "NOTZONE"


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        (lambda update: update.absent("edge"), "YXDOMAIN"),
        (lambda update: update.absent("edge", "A"), "YXRRSET"),
        (lambda update: update.present("nobody"), "NXDOMAIN"),
        (lambda update: update.present("edge", "TXT"), "NXRRSET"),
        (lambda update: update.present("edge", "A", "127.0.0.9"), "NXRRSET"),
        (lambda update: update.present("edge", "A", "127.0.0.1"), "NOERROR"),
        (lambda update: update.present("edge"), "NOERROR"),
        (lambda update: update.absent("edge", "AAAA"), "NOERROR"),
        (lambda update: update.absent("nobody"), "NOERROR"),
    ],
)
def test_a_condition_decides_over_the_whole_update(
    send: Callable[..., str],
    editor: LocalZoneEditor,
    condition: Callable[[dns.update.UpdateMessage], None],
    code: str,
) -> None:
    def build(update: dns.update.UpdateMessage) -> None:
        condition(update)
        update.add("made", 60, "A", "127.0.0.1")

    assert send(build) == code
    assert (editor.read(f"made.{ZONE}", "A").status == "found") == (code == "NOERROR")


def test_an_address_beside_an_alias_is_left_out(
    send: Callable[..., str], editor: LocalZoneEditor
) -> None:
    send(lambda update: update.add("alias", 60, "CNAME", "edge"))

    assert send(lambda update: update.add("alias", 60, "A", "127.0.0.9")) == "NOERROR"
    assert editor.read(f"alias.{ZONE}", "A").values == ("127.0.0.1",)


def test_the_zones_own_servers_cannot_be_deleted(
    send: Callable[..., str], editor: LocalZoneEditor
) -> None:
    assert send(lambda update: update.delete(dns.name.from_text(f"{ZONE}."))) == "NOERROR"
    assert editor.read(ZONE, "SOA").status == "found"
    assert editor.read(ZONE, "NS").status == "found"


def test_one_value_of_several_can_be_deleted(
    send: Callable[..., str], editor: LocalZoneEditor
) -> None:
    send(lambda update: update.add("two", 60, "A", "127.0.0.1", "127.0.0.2"))
    send(lambda update: update.delete("two", "A", "127.0.0.1"))

    assert editor.read(f"two.{ZONE}", "A").values == ("127.0.0.2",)


def test_the_serial_moves_with_a_change_and_only_then(editor: LocalZoneEditor) -> None:
    def serial() -> int:
        return int(editor.read(ZONE, "SOA").values[0].split()[2])

    before = serial()
    editor.publish(BOT)
    after = serial()
    editor.publish(BOT)

    assert after == before + 1
    assert serial() == after


def test_the_change_is_in_the_file_before_the_answer(
    editor: LocalZoneEditor, tmp_path: Path
) -> None:
    editor.publish(BOT)

    stored = json.loads((tmp_path / "dns" / "zone.json").read_text())
    assert [f"{BOT.name}.", 60, "A", ["127.0.0.1"]] in stored["zones"][f"{ZONE}."]


def test_a_change_that_cannot_be_stored_is_not_made(
    editor: LocalZoneEditor, tmp_path: Path
) -> None:
    (tmp_path / "dns" / "zone.json.new").mkdir(parents=True)

    with pytest.raises(AdapterError) as caught:
        editor.publish(BOT)

    assert not caught.value.permanent
    assert editor.read(BOT.name, "A").status == "no_name"


def test_a_restart_keeps_what_was_published(
    start_server: Callable[..., LocalNameServer], edit: Callable[..., LocalZoneEditor]
) -> None:
    first = start_server()
    edit(first.port).publish(BOT)
    first.stop()

    again = start_server(port=first.port)

    assert edit(again.port).read(BOT.name, "A").values == ("127.0.0.1",)


def test_every_answered_update_survives_a_kill(
    tmp_path: Path,
    edit: Callable[..., LocalZoneEditor],
    start_server: Callable[..., LocalNameServer],
) -> None:
    store = tmp_path / "killed.json"
    program = (
        "import sys; from pathlib import Path\n"
        "from portal.dns.local_server import LocalNameServer\n"
        "server = LocalNameServer(['api.example.test'], '127.0.0.1', 0, Path(sys.argv[1]),\n"
        "    'portal-key', 'YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBvY3RldHMuLi4=')\n"
        "server.start(); print(server.port, flush=True); server.serve_forever()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(store)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with child:
        assert child.stdout is not None
        editor = edit(int(child.stdout.readline()))
        done = []
        begin = time.monotonic()
        while time.monotonic() - begin < 0.3 or (len(done) < 8 and time.monotonic() - begin < 10):
            record = Record(f"n{len(done)}.{ZONE}", "A", ("127.0.0.1",), 60)
            editor.publish(record)
            done.append(record)
        child.send_signal(signal.SIGKILL)

    again = edit(start_server(store=store).port)
    assert len(done) > 5
    assert [again.read(record.name, "A").status for record in done] == ["found"] * len(done)


def test_the_first_record_of_a_new_domain_makes_its_zone_for_good(
    start_server: Callable[..., LocalNameServer], edit: Callable[..., LocalZoneEditor]
) -> None:
    first = start_server()
    shop = Record("chat.shop.test", "CNAME", (f"edge.{ZONE}",), 60)

    published = edit(first.port, zone="shop.test").publish(shop)
    first.stop()
    again = edit(start_server(port=first.port).port, zone="shop.test")

    assert published.changed
    assert again.read("chat.shop.test", "CNAME").values == (f"edge.{ZONE}",)
    assert again.read("shop.test", "SOA").status == "found"
    assert not again.publish(shop).changed


@pytest.mark.parametrize("zone", ["test", f"inside.{ZONE}"])
def test_no_zone_is_made_of_a_top_level_domain_or_inside_another(
    server: LocalNameServer, edit: Callable[..., LocalZoneEditor], zone: str
) -> None:
    with pytest.raises(AdapterError) as caught:
        edit(server.port, zone=zone).publish(Record(f"x.{zone}", "A", ("127.0.0.1",), 60))
    assert (caught.value.reason, caught.value.permanent) == ("no_zone", True)


def test_an_update_that_changes_nothing_or_is_not_signed_makes_no_zone(
    send: Callable[..., str], editor: LocalZoneEditor
) -> None:
    def add(update: dns.update.UpdateMessage) -> None:
        update.add("www", 60, "A", "127.0.0.1")

    send(lambda update: None, zone="shop.test")
    send(add, zone="shop.test", signed=False)
    send(lambda update: (update.present("www"), add(update)), zone="shop.test")

    assert editor.read("shop.test", "SOA").status == "could_not_ask"
