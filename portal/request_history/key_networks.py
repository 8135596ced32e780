"""From which networks each API key is used: a salted hash of each, so that a new one is noticed.

A network that this process knows costs nothing. One that it does not know is an insert that does
nothing where it is stored already, and it is known only from then on: what is rolled back with its
batch is tried again with the key's next request.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal.database import TimestampedModel, UTCDateTime, utc_now

MOST_KNOWN = 50_000


class APIKeyNetwork(TimestampedModel):
    """A network that a key was used from; `looked_at` is when it was decided whether to tell."""

    __tablename__ = "api_key_networks"
    __table_args__ = (UniqueConstraint("api_key_id", "network_hash"),)

    api_key_id: Mapped[int] = mapped_column(ForeignKey("auth_tokens.id", ondelete="CASCADE"))
    network_hash: Mapped[str] = mapped_column(String(64))
    looked_at: Mapped[datetime | None] = mapped_column(UTCDateTime, index=True)
    told_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


@lru_cache(maxsize=10_000)
def hash_of(api_key_id: int, address: str, secret: str) -> str:
    """Of the first 24 bits of an IPv4 address, or the first 48 of an IPv6 address; "" for none."""
    network = network_of(address)
    if not network:
        return ""
    text = f"network/{api_key_id}/{network}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def network_of(address: str) -> str:
    """`192.0.2.0/24`, `2001:db8:7::/48`; "" for what is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    found = mapped or found
    return str(ipaddress.ip_network(f"{found}/{24 if found.version == 4 else 48}", strict=False))


_known: set[tuple[int, str]] = set()
_NETWORKS = APIKeyNetwork.__table__


def note(connection: Connection, used: Iterable[tuple[int | None, str]]) -> None:
    """Store those of a batch that are new; sorted, so that writers never wait in a circle."""
    wanted = {(key_id, network) for key_id, network in used if key_id is not None and network}
    for key_id, network in sorted(wanted - _known):
        if _is_stored(connection, key_id, network):
            if len(_known) >= MOST_KNOWN:
                _known.clear()
            _known.add((key_id, network))


def _is_stored(connection: Connection, key_id: int, network: str) -> bool:
    """Whether it was there before; else it is now, in this transaction."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    now = utc_now()
    row = {"api_key_id": key_id, "network_hash": network, "created_at": now, "updated_at": now}
    insert = dialect.insert(_NETWORKS).values(row).on_conflict_do_nothing()
    return connection.execute(insert.returning(_NETWORKS.c.id)).first() is None
