"""Dynamic updates (RFC 2136) signed with TSIG (RFC 8945), by TCP, read back from the server.

Beside each record set of ours lies a TXT record `_portal-<type>.<name>` that says so. Every change
is conditional on it, checked by the server in the same transaction, so nothing that somebody else
entered is ever overwritten or removed.
"""

import base64
from collections.abc import Callable, Mapping
from typing import ClassVar, Self

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from portal.dns import Answer, Published, Record, SettingField
from portal.dns.ask import UNREACHABLE, ask, could_not_ask
from portal.dns.refusals import NAME_SERVER, in_use
from portal.dns.trial import write_and_remove
from portal.dns.values import (
    absolute_name,
    check_inside,
    plain_name,
    rdata_of,
    record_type,
    value_of,
)
from portal.errors import AdapterError
from portal.outgoing import checked_addresses

ALGORITHM = "hmac-sha256"
IN_USE = (dns.rcode.YXDOMAIN, dns.rcode.YXRRSET)
NOT_MARKED = (dns.rcode.NXDOMAIN, dns.rcode.NXRRSET)
NOT_ITS_ZONE = (dns.rcode.NOTAUTH, dns.rcode.NOTZONE)
MARK_TTL = 300
KEY_PROBLEMS = (
    dns.tsig.BadSignature,
    dns.tsig.PeerBadSignature,
    dns.tsig.PeerBadKey,
    dns.message.UnknownTSIGKey,
    dns.exception.FormError,  # an answer without a signature: PowerDNS to a key it does not know
)


class Rfc2136ZoneEditor:
    """Edits `zone` on one server. `secret` is the TSIG key in base64, `timeout` in seconds.

    `server` is a name or an address.
    """

    settings: ClassVar[tuple[SettingField, ...]] = (
        SettingField("zone", "Zone", help="For example api.example.com"),
        SettingField("server", "Server address", help="The primary name server of the zone"),
        SettingField("port", "Port", required=False, help="53 if left empty"),
        SettingField("key_name", "Key name"),
        SettingField("secret", "Key secret", secret=True, help="HMAC-SHA256, in base64"),
    )

    def __init__(
        self,
        zone: str,
        server: str,
        port: int,
        key_name: str,
        secret: str,
        *,
        owner: str = "portal",
        timeout: float = 5.0,
        allow_private_addresses: bool = True,
    ) -> None:
        self._zone = absolute_name(zone)
        self._allow_private = allow_private_addresses
        self._server = (server, port)
        self._mark = f"managed by portal, owner {owner}"
        self._timeout = timeout
        try:
            octets = base64.b64decode(secret, validate=True)
        except ValueError as error:
            raise _wrong_settings("the key's secret is not base64") from error
        self._key = dns.tsig.Key(absolute_name(key_name), octets, ALGORITHM)

    @classmethod
    def from_settings(
        cls, values: Mapping[str, str], *, allow_private_addresses: bool = False
    ) -> Self:
        """Build the editor from its form; raises AdapterError where a value is no use."""
        try:
            return cls(
                values["zone"],
                values["server"],
                int(values.get("port") or 53),
                values["key_name"],
                values["secret"],
                allow_private_addresses=allow_private_addresses,
            )
        except (KeyError, ValueError) as error:
            raise _wrong_settings(str(error)) from error

    def publish(self, record: Record) -> Published:
        """Serve exactly these values, or raise AdapterError (reason `not_ours`, `not_applied`)."""
        check_inside(record, self._zone)
        wanted = tuple(sorted(value_of(rdata) for rdata in rdata_of(record)))
        before = self.read(record.name, record.type)
        if before.status == "found" and before.values == wanted and not before.alias:
            return Published(f"{record.name} already answers as wanted.", changed=False)
        code = self._send(self._creation(record))
        if code in IN_USE:
            code = self._send(self._replacement(record))
        if code in NOT_MARKED or code in IN_USE:
            raise self._not_ours(record)
        self._expect_success(code, record)
        self._read_back(record, wanted)
        return Published(f"{record.name} is published.", changed=True)

    def withdraw(self, record: Record) -> Published:
        """Remove our record set; one that is not ours stays, and the message says so."""
        check_inside(record, self._zone)
        code = self._send(self._removal(record))
        if code in NOT_MARKED:
            return self._nothing_of_ours(record)
        self._expect_success(code, record)
        return Published(f"{record.name} is withdrawn.", changed=True)

    def read(self, name: str, type: str) -> Answer:
        """What the server we edit says now."""
        try:
            server = self._address()
        except AdapterError as error:
            return could_not_ask(self._server, error.detail)
        return ask(server, name, type, recursive=False, timeout=self._timeout, tcp=True)

    def try_out(self) -> str:
        """Prove address, zone and key by writing and removing a record."""
        return write_and_remove(self, plain_name(self._zone))

    def _creation(self, record: Record) -> dns.update.UpdateMessage:
        name, mark = self._names(record)
        update = self._update()
        if record_type(record.type) == dns.rdatatype.CNAME:
            update.absent(name)
        else:
            update.absent(name, record_type(record.type))
            update.absent(name, dns.rdatatype.CNAME)
        update.add(name, record.ttl, *rdata_of(record))
        update.replace(mark, MARK_TTL, dns.rdatatype.TXT, f'"{self._mark}"')
        return update

    def _replacement(self, record: Record) -> dns.update.UpdateMessage:
        name, mark = self._names(record)
        update = self._update()
        update.present(mark, dns.rdatatype.TXT, f'"{self._mark}"')
        update.replace(name, record.ttl, *rdata_of(record))
        return update

    def _removal(self, record: Record) -> dns.update.UpdateMessage:
        name, mark = self._names(record)
        update = self._update()
        update.present(mark, dns.rdatatype.TXT, f'"{self._mark}"')
        update.delete(name, record_type(record.type))
        update.delete(mark, dns.rdatatype.TXT)
        return update

    def _names(self, record: Record) -> tuple[dns.name.Name, dns.name.Name]:
        name = absolute_name(record.name)
        below = plain_name(name).replace("*", "_wildcard", 1)
        return name, absolute_name(f"_portal-{record.type.lower()}.{below}")

    def _update(self) -> dns.update.UpdateMessage:
        return dns.update.UpdateMessage(self._zone, keyring=self._key, keyname=self._key.name)

    def _send(self, update: dns.update.UpdateMessage) -> dns.rcode.Rcode:
        host, port = self._address()
        return _with_plain_errors(
            lambda: dns.query.tcp(update, host, timeout=self._timeout, port=port).rcode()
        )

    def _address(self) -> tuple[str, int]:
        """The server's address, looked up and checked anew, as its name may change."""
        host, port = self._server
        try:
            return checked_addresses(host, port, self._allow_private)[0], port
        except (OSError, UnicodeError) as error:
            raise NAME_SERVER.unreachable(f"{host} has no address") from error

    def _expect_success(self, code: dns.rcode.Rcode, record: Record) -> None:
        if code == dns.rcode.NOERROR:
            return
        if code in NOT_ITS_ZONE:
            raise NAME_SERVER.no_zone(f"{plain_name(self._zone)}: {dns.rcode.to_text(code)}")
        raise NAME_SERVER.refused(
            f"{record.name} {record.type}: {dns.rcode.to_text(code)}",
            reason=dns.rcode.to_text(code).lower(),
            permanent=code != dns.rcode.SERVFAIL,
        )

    def _read_back(self, record: Record, wanted: tuple[str, ...]) -> None:
        # NOERROR does not mean applied: BIND and knot ignore an A record beside a CNAME
        answer = self.read(record.name, record.type)
        if answer.status == "could_not_ask":
            raise NAME_SERVER.unreachable(answer.detail)
        if answer.values != wanted:
            raise AdapterError(
                "The name server accepted the DNS record but does not serve it.",
                reason="not_applied",
                permanent=True,
                detail=f"{record.name} {record.type}: {answer.status} {', '.join(answer.values)}",
            )

    def _not_ours(self, record: Record) -> AdapterError:
        found = self.read(record.name, record.type)
        return in_use(f"{record.name} {record.type}: {found.status} {', '.join(found.values)}")

    def _nothing_of_ours(self, record: Record) -> Published:
        if self.read(record.name, record.type).status == "found":
            message = f"{record.name} is still served by a record that the portal did not make."
            return Published(message, changed=False)
        return Published(f"{record.name} was withdrawn before.", changed=False)


def _with_plain_errors(send: Callable[[], dns.rcode.Rcode]) -> dns.rcode.Rcode:
    try:
        return send()
    except KEY_PROBLEMS as error:
        raise NAME_SERVER.bad_key(str(error) or type(error).__name__) from error
    except dns.tsig.PeerBadTime as error:
        raise AdapterError(
            "The clocks of the portal and of the name server differ too much.",
            reason="clock",
            detail="the server refused the signature's time (BADTIME)",
        ) from error
    except UNREACHABLE as error:
        raise NAME_SERVER.unreachable(str(error) or type(error).__name__) from error


def _wrong_settings(detail: str) -> AdapterError:
    return AdapterError(
        "The settings of the name server are not usable.",
        reason="settings",
        permanent=True,
        detail=detail,
    )
