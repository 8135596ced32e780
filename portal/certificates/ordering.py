"""One step towards a certificate as it acts on the outside: records first, then the authority.

Nothing here reads or writes the database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from portal.adapters import Adapters
from portal.certificates.naming import is_below
from portal.dns import Answer, AwaitingOwner, Record, ZoneEditor
from portal.errors import AdapterError
from portal.tls import Challenge, Issuance

log = logging.getLogger(__name__)

TTL_SECONDS = 60
NOT_SEEN_SECONDS = 2
ZoneEditorOf = Callable[[str], ZoneEditor | None]
_editors: list[ZoneEditorOf] = []


def zone_editor_of(find: ZoneEditorOf) -> ZoneEditorOf:
    """Let this function say who edits the zone of a host that is not the platform's."""
    _editors.append(find)
    return find


def customer_editor(host: str) -> ZoneEditor | None:
    """Who edits the zone of a customer's host; for who is about to make a step."""
    return next((found for find in _editors if (found := find(host))), None)


@dataclass(frozen=True)
class Place:
    """Where the TXT record of a proof goes, and who can put it there."""

    name: str
    editor: ZoneEditor


@dataclass(frozen=True)
class Zones:
    """Where records may be published: the platform's own zone, and the zone of one customer."""

    adapters: Adapters
    platform_zone: str
    customer_editor: ZoneEditor | None


def step(
    name: str,
    state: dict[str, Any],
    adapters: Adapters,
    platform_zone: str,
    now: datetime,
    editor: ZoneEditor | None = None,
) -> Issuance:
    """Publish what the order wants to see in DNS, then let the issuer go on. Raises AdapterError.

    `editor` is the one of the customer's zone. What comes back is to be stored before the next
    step.
    """
    shown = [Challenge(**values) for values in state.get("challenges", ())]
    zones = Zones(adapters, platform_zone, editor)
    if not state.get("is_published"):
        problem = _publish(shown, zones)
        if problem is not None:
            return replace(problem, state=state, challenges=tuple(shown))
    answer = adapters.issuer.request((name,), now, state.get("order", {}))
    is_over = answer.status != "waiting" or not answer.state
    if is_over:
        _withdraw(shown, zones)
        return answer
    kept = {
        "order": answer.state,
        "challenges": [asdict(one) for one in answer.challenges],
        "is_published": bool(shown) and list(answer.challenges) == shown,
    }
    return replace(answer, state=kept)


def _records(shown: list[Challenge], zones: Zones) -> list[tuple[Record, Place | None]]:
    """One record a name, with every value that an order wants to see there."""
    wanted: dict[str, list[str]] = {}
    for one in shown:
        if one.kind == "dns-01":
            wanted.setdefault(one.host, []).append(one.content)
    found = []
    for host, values in wanted.items():
        place = _place(host, zones)
        name = place.name if place else f"_acme-challenge.{host}"
        found.append((Record(name, "TXT", tuple(values), TTL_SECONDS), place))
    return found


def _place(host: str, zones: Zones) -> Place | None:
    """The platform's zone, also where the customer delegated the name to it by a CNAME."""
    name = f"_acme-challenge.{host}"
    if is_below(name, zones.platform_zone):
        return Place(name, zones.adapters.zone_editor)
    for answer in zones.adapters.resolver.authority(name, "CNAME"):
        target = (answer.alias or answer.values or ("",))[-1]
        if is_below(target, zones.platform_zone):
            return Place(target, zones.adapters.zone_editor)
    return Place(name, zones.customer_editor) if zones.customer_editor else None


def _publish(shown: list[Challenge], zones: Zones) -> Issuance | None:
    """None once every record is there for the authority to see."""
    for record, place in _records(shown, zones):
        text = f"{record.name} TXT {' '.join(record.values)}"
        if place is None:
            message = f"Nobody can publish the TXT record {record.name} for this certificate."
            return Issuance("waiting", message, "awaiting_owner", 60, detail=text)
        try:
            answer = place.editor.publish(record)
        except AdapterError as error:
            return Issuance("waiting", error.public_message, error.reason, 30, detail=error.detail)
        if isinstance(answer, AwaitingOwner):
            return Issuance("waiting", answer.message, "awaiting_owner", 60, detail=text)
        lacking = _lacking(zones.adapters.resolver.authority(record.name, "TXT"), record)
        if lacking is not None:
            message = f"{lacking.server} does not show the TXT record {record.name} yet."
            return Issuance("waiting", message, "challenge_not_seen", NOT_SEEN_SECONDS)
    return None


def _lacking(answers: tuple[Answer, ...], record: Record) -> Answer | None:
    """A server that answers without our values; one that does not answer says nothing."""
    wanted = set(record.values)
    return next(
        (
            answer
            for answer in answers
            if answer.status != "could_not_ask" and not wanted <= set(answer.values)
        ),
        None,
    )


def _withdraw(shown: list[Challenge], zones: Zones) -> None:
    """Records that nobody needs any more; one that stays harms nobody."""
    try:
        for record, place in _records(shown, zones):
            if place is not None:
                place.editor.withdraw(record)
    except AdapterError as error:
        log.warning("a challenge record could not be withdrawn: %s", error.detail)
