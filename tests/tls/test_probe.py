"""The probe says precisely what is wrong with what is served."""

import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.errors import AdapterError
from portal.tls.authority import key_text
from portal.tls.local import LocalIssuer
from portal.tls.probe import Probe, probe
from portal.tls.roots import machine_roots, trusted_roots
from portal.tls.verdict import matches

pytestmark = pytest.mark.engine_independent

HOST = "bot.api.example.test"
NOW = datetime.now(UTC)
Serve = Callable[..., int]


@pytest.fixture
def look(root: Any) -> Callable[..., Probe]:
    def at(port: int, name: str = HOST, now: datetime = NOW, **settings: Any) -> Probe:
        settings = {"roots_pem": root.pem, "timeout": 0.5, **settings}
        return probe(name, "127.0.0.1", port, now, **settings)

    return at


def test_a_good_chain_is_described(
    serve: Serve, look: Callable[..., Probe], intermediate: Any
) -> None:
    leaf, key = intermediate.issue(HOST, "other.example.test")

    found = look(serve(leaf + intermediate.pem, key))

    assert (found.ok, found.reason, found.detail) == (True, "", "")
    assert found.message == f"The certificate is valid for {HOST}."
    assert found.names == (HOST, "other.example.test")
    assert found.issuer == "CN=Test intermediate"
    assert int(found.serial, 16) > 0
    assert found.not_after is not None
    assert found.not_after > NOW + timedelta(days=89)


def test_a_missing_intermediate_is_told(
    serve: Serve, look: Callable[..., Probe], intermediate: Any
) -> None:
    found = look(serve(*intermediate.issue(HOST)))
    assert (found.ok, found.reason) == (False, "missing_intermediate")
    assert "CN=Test intermediate" in found.message


def test_a_missing_intermediate_is_certain_where_the_right_chain_is_known(
    serve: Serve, look: Callable[..., Probe], root: Any, authority: Any
) -> None:
    oddly_named = authority("Second root", root)
    leaf, key = oddly_named.issue(HOST)
    port = serve(leaf, key)

    assert look(port).reason == "unknown_issuer"
    assert look(port, expected_chain_pem=leaf + oddly_named.pem).reason == "missing_intermediate"


def test_an_issuer_that_tells_its_address_is_an_intermediate(
    serve: Serve, look: Callable[..., Probe], root: Any, authority: Any
) -> None:
    issuer = authority("Grass roots intermediate", root)
    assert look(serve(*issuer.issue(HOST, tells_issuer=True))).reason == "missing_intermediate"


@pytest.mark.parametrize("with_root", [False, True])
def test_a_foreign_authority_is_unknown(
    serve: Serve, look: Callable[..., Probe], authority: Any, with_root: bool
) -> None:
    foreign = authority("Foreign root")
    leaf, key = foreign.issue(HOST)
    assert look(serve(leaf + foreign.pem * with_root, key)).reason == "unknown_issuer"


def test_a_foreign_chain_is_unknown(
    serve: Serve, look: Callable[..., Probe], authority: Any
) -> None:
    foreign = authority("Foreign intermediate", authority("Foreign root"))
    leaf, key = foreign.issue(HOST)
    assert look(serve(leaf + foreign.pem, key)).reason == "unknown_issuer"


def test_another_local_authority_of_the_same_name_is_unknown(
    serve: Serve, look: Callable[..., Probe], tmp_path: Path
) -> None:
    ours, theirs = LocalIssuer(tmp_path / "ours"), LocalIssuer(tmp_path / "theirs")
    issued = theirs.request((HOST,), NOW, {})

    found = look(serve(issued.chain_pem, issued.key_pem), roots_pem=ours.roots_pem())

    assert found.reason == "unknown_issuer"


def test_a_self_signed_certificate_is_told(
    serve: Serve, look: Callable[..., Probe], authority: Any
) -> None:
    alone = authority(HOST)
    assert look(serve(alone.pem, key_text(alone.key))).reason == "self_signed"


@pytest.mark.parametrize(("days", "reason"), [((-100, -1), "expired"), ((2, 90), "not_yet_valid")])
def test_the_dates_are_judged_by_the_given_clock(
    serve: Serve, look: Callable[..., Probe], root: Any, days: tuple[int, int], reason: str
) -> None:
    port = serve(*root.issue(HOST, days=days))

    assert look(port).reason == reason
    assert look(port, now=NOW + timedelta(days=sum(days) / 2)).ok


def test_a_certificate_about_to_end_is_expired_a_second_later(
    serve: Serve, look: Callable[..., Probe], root: Any
) -> None:
    port = serve(*root.issue(HOST))
    end = look(port).not_after
    assert end is not None
    assert look(port, now=end - timedelta(seconds=1)).ok
    assert look(port, now=end + timedelta(seconds=1)).reason == "expired"


def test_another_name_is_told_with_the_names_served(
    serve: Serve, look: Callable[..., Probe], root: Any
) -> None:
    found = look(serve(*root.issue("other.example.test")))
    assert found.reason == "wrong_name"
    assert found.message == f"The certificate is for other.example.test, not for {HOST}."


@pytest.mark.parametrize(
    ("name", "served", "fits"),
    [
        (HOST, "*.api.example.test", True),
        (HOST, "*.example.test", False),
        ("api.example.test", "*.api.example.test", False),
    ],
)
def test_a_wildcard_stands_for_one_level(
    serve: Serve, look: Callable[..., Probe], root: Any, name: str, served: str, fits: bool
) -> None:
    found = look(serve(*root.issue(served)), name)
    assert found.reason == ("" if fits else "wrong_name")
    assert matches(name, (served,)) == fits


def test_an_old_protocol_is_told(serve: Serve, look: Callable[..., Probe], root: Any) -> None:
    old = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        port = serve(*root.issue(HOST), minimum_version=old, maximum_version=old)
    assert look(port).reason == "old_protocol"


def test_a_server_without_a_certificate_for_the_name_is_told(
    listen: Serve, look: Callable[..., Probe]
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda *asked: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    port = listen(lambda connection: context.wrap_socket(connection, server_side=True))

    assert look(port).reason == "no_certificate"


def test_plain_http_is_told(listen: Serve, look: Callable[..., Probe]) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    assert look(listen(answer)).reason == "plain_http"


def test_plain_http_that_waits_for_a_line_is_told(
    listen: Serve, look: Callable[..., Probe]
) -> None:
    def answer(connection: socket.socket) -> None:
        while (read := connection.recv(4096)) and not read.startswith(b"HEAD"):
            pass  # whoever hung up instead would be read from for ever
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    assert look(listen(answer)).reason == "plain_http"


def test_something_other_than_tls_is_told(listen: Serve, look: Callable[..., Probe]) -> None:
    port = listen(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n"))
    assert look(port).reason == "not_tls"


def test_silence_is_a_timeout_in_time(listen: Serve, look: Callable[..., Probe]) -> None:
    port = listen(lambda connection: time.sleep(1.5))
    begin = time.monotonic()
    assert look(port, timeout=0.3).reason == "timeout"
    assert time.monotonic() - begin < 1


def test_dripping_is_a_timeout_too(listen: Serve, look: Callable[..., Probe]) -> None:
    def answer(connection: socket.socket) -> None:
        for octet in b"\x16\x03\x03\x40\x00" + bytes(60):
            connection.sendall(bytes([octet]))
            time.sleep(0.05)

    begin = time.monotonic()
    assert look(listen(answer), timeout=0.3).reason == "timeout"
    assert time.monotonic() - begin < 1.2


def test_a_server_that_hangs_up_is_unreachable(listen: Serve, look: Callable[..., Probe]) -> None:
    found = look(listen(lambda connection: None))
    assert found.reason in ("unreachable", "handshake_failed")
    assert found.message.endswith(".")


def test_a_closed_port_is_told(look: Callable[..., Probe]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        found = look(port)
    assert (found.reason, found.message) == (
        "closed",
        f"Nothing listens on port {port} of 127.0.0.1.",
    )


def test_the_machines_own_roots_do_not_trust_a_made_up_one(
    serve: Serve, look: Callable[..., Probe], root: Any
) -> None:
    if not machine_roots():
        with pytest.raises(AdapterError) as caught:
            trusted_roots(None)
        assert caught.value.reason == "no_roots"
        return
    assert look(serve(*root.issue(HOST)), roots_pem=None).reason == "unknown_issuer"
