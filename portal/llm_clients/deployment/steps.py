"""The steps of a deployment as they act on the outside: look, try once, tell.

Nothing here reads or writes the database; what is needed comes in a `Target`, what was learnt goes
out in a result.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from portal.adapters import Adapters
from portal.certificates import ordering, orders
from portal.certificates.orders import Wish
from portal.certificates.page import issuer_words
from portal.dns import Answer, AwaitingOwner, Published, Record, ZoneEditor
from portal.errors import AdapterError
from portal.llm_clients.deployment.attempts import (
    CUSTOMER,
    NOBODY,
    PLATFORM,
    Act,
    Done,
    Failed,
    Result,
    Target,
    Wait,
)
from portal.tls import Issuance, NotOrdered
from portal.tls.probe import Probe

RECORD_TTL_SECONDS = 60


def attempt(act: Act, target: Target, adapters: Adapters, now: datetime) -> Result:
    """Try a step once; what the outside refused becomes a result."""
    try:
        return act(target, adapters, now)
    except AdapterError as error:
        if error.permanent:
            return Failed(error.public_message, error.reason, PLATFORM)
        return Wait(error.public_message, error.reason, PLATFORM)


def publish_dns(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Step 1: the zone's editor publishes each host's address, unless it answers right already."""
    messages = []
    for host in target.hosts:
        if _is_right(adapters.resolver.authority(host, "A"), target.edge_address):
            messages.append(f"{host} already answers with {target.edge_address}.")
            continue
        answer = adapters.zone_editor.publish(address_record(host, target.edge_address))
        if isinstance(answer, AwaitingOwner):
            return Wait(answer.message, "awaiting_owner", CUSTOMER)
        messages.append(answer.message)
    return Done(" ".join(messages))


def see_dns(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Step 2: the authoritative servers first, then the public resolvers, all of them."""
    for host in target.hosts:
        answers = adapters.resolver.authority(host, "A")
        if not _is_right(answers, target.edge_address):
            return _not_yet(host, answers, target.edge_address, "authority")
        public = adapters.resolver.public(host, "A")
        if public and not _is_right(public, target.edge_address):
            return _not_yet(host, public, target.edge_address, "public")
    return Done(f"Every name server we asked answers {target.edge_address}.")


def publish_records(target: Target, adapters: Adapters, now: datetime) -> Result:
    """On a customer's domain, step 1: his records, where we may edit his zone, and their target.

    The target is seen by visitors before anybody is sent there, an authority above all. What an
    editor cannot do is for the checks to tell; a record that is not ours stays.
    """
    edge_host, edge_address = target.edge_host, target.edge_address
    if not _is_right(adapters.resolver.authority(edge_host, "A"), edge_address):
        answer = adapters.zone_editor.publish(address_record(edge_host, edge_address))
        if isinstance(answer, AwaitingOwner):
            return Wait(answer.message, "awaiting_owner", PLATFORM)
    public = adapters.resolver.public(edge_host, "A")
    if public and not _is_right(public, edge_address):
        return _not_yet(edge_host, public, edge_address, "public")
    try:
        published = tuple(name for host in target.hosts for name in _routed(host, target, adapters))
    except AdapterError as error:
        return Wait(error.public_message, error.reason, CUSTOMER)
    if published:
        return Done(f"Published: {', '.join(published)}.", published=published)
    return Done(f"{edge_host} answers; the records of the domain are entered by its owner.")


def _routed(host: str, target: Target, adapters: Adapters) -> list[str]:
    """Publish the host's records in the customer's zone; nothing where he enters them himself."""
    found = target.custom[host]
    if not found.records:
        return []
    editor = adapters.customer_zone_editor(found.editor, found.zone, found.editor_values)
    answers = [(record.name, editor.publish(record)) for record in found.records]
    return [name for name, answer in answers if isinstance(answer, Published)]


def see_checks(target: Target, adapters: Adapters, now: datetime) -> Result:
    """On a customer's domain, step 2: what the checks of the domain found for each host.

    No certificate is asked for before they pass, so that no attempt is wasted.
    """
    for host in target.hosts:
        found = target.custom[host].finding
        if found is not None:
            back = "publish_records" if target.custom[host].is_unpublished else ""
            return Wait(f"{host}: {found.message}", found.reason, found.who_acts, back_to=back)
    return Done("The records are right wherever we asked, and a certificate may be issued.")


def request_certificate(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Step 3: a certificate for every host, each name asked for once; a good one is kept.

    Only the orders taken in hand are gone on with; the others have their turn right after.
    """
    if target.is_certified:
        return Done("The certificate we have is still good.")
    issued: dict[str, Issuance] = {}
    for host in target.hosts:
        wish = target.wishes.get(host)
        if wish is None or wish.name in issued:
            continue
        if wish.blocked is not None:
            why = wish.blocked
            return Wait(why.sentence, why.reason, why.who_acts, why.seconds, issuances=issued)
        editor, zone = _usable_editor_of(host, target, adapters), target.platform_zone
        try:
            issuance = ordering.step(wish.name, wish.state, adapters, zone, now, editor)
        except NotOrdered as error:
            return Wait(error.public_message, error.reason, PLATFORM, not_ordered=wish.name)
        if issuance.status == "failed":
            issuances = {**issued, wish.name: issuance}
            return Failed(_with_words(issuance), issuance.reason, PLATFORM, issuances)
        if issuance.status == "waiting":
            return _not_issued(host, wish, zone, issuance, issued)
        issued[wish.name] = issuance
    left = [host for host in target.hosts if host not in (*target.serials, *target.wishes)]
    if left:
        message = f"{_issued_sentence(issued)} Next is {left[0]}."
        return Wait(message, "", seconds=0, issuances=issued)
    return Done(_issued_sentence(issued), issued)


def _not_issued(
    host: str, wish: Wish, zone: str, issuance: Issuance, issued: dict[str, Issuance]
) -> Wait:
    """What is known of all names so far is kept; a refusal waits by its own back-off."""
    seconds = None if issuance.refused else issuance.retry_in_seconds
    who_acts = orders.who_acts(issuance.reason, host, zone)
    issuances = {**issued, wish.name: issuance}
    return Wait(_with_words(issuance), issuance.reason, who_acts, seconds, issuances=issuances)


def _with_words(issuance: Issuance) -> str:
    """Our sentence, and the authority's own words where it has some."""
    said = f"The certificate authority says: {issuance.detail}" if issuance.detail else ""
    return " ".join(part for part in (issuance.message, said) if part)


def _issued_sentence(issued: dict[str, Issuance]) -> str:
    expiries = [entry.not_after for entry in issued.values() if entry.not_after]
    if not expiries:
        return " ".join(entry.message for entry in issued.values())
    names = ", ".join(sorted({issuer_words(entry.issuer) for entry in issued.values()}))
    return f"Issued by {names}, valid until {min(expiries):%Y-%m-%d}."


def see_certificate(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Step 4: a real handshake at the edge with the host as SNI; the certificate must be ours.

    Where somebody else keeps it, what was shown is all that we know of it.
    """
    seen: dict[str, Probe] = {}
    for host in target.hosts:
        probe = adapters.probe(
            host,
            target.edge_address,
            target.edge_port,
            now,
            expected_chain_pem=target.chains.get(host, ""),
        )
        if not probe.ok:
            return Wait(f"{host}: {probe.message}", probe.reason, PLATFORM)
        if host not in target.serials:
            seen[host] = probe
        elif probe.serial != target.serials[host]:
            message = f"{host}: the edge still shows another certificate ({probe.serial})."
            return Wait(message, "issued_but_not_served", NOBODY)
    whose = "a good" if seen else "our"
    return Done(f"The edge shows {whose} certificate to a visitor’s handshake.", seen=seen)


def open_for_visitors(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Step 5: nothing outside is left to do; the row opens the host."""
    return Done("Visitors are answered.")


def withdraw_certificate(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Revoke what was issued; the edge no longer gets it from the moment the row says so."""
    for host in target.hosts:
        if target.chains.get(host):
            adapters.issuer.revoke(target.chains[host], now)
        adapters.issuer.release((host,), now)
    return Done("The certificate is withdrawn; the edge refuses the next handshake.")


def withdraw_dns(target: Target, adapters: Adapters, now: datetime) -> Result:
    """Take our records back; what the owner published himself is named and left."""
    left = []
    for host in target.hosts:
        answers = _withdrawals(host, target, adapters)
        if any(isinstance(answer, AwaitingOwner) for answer in answers):
            left.append(host)
    if left:
        return Done(f"The owner of the zone may now remove the records of {', '.join(left)}.")
    return Done("Our DNS records are withdrawn.")


def _withdrawals(host: str, target: Target, adapters: Adapters) -> list[Published | AwaitingOwner]:
    found = target.custom.get(host)
    if found is None:
        return [adapters.zone_editor.withdraw(address_record(host, target.edge_address))]
    return [_withdrawn(record, host, target, adapters) for record in found.records]


def _withdrawn(
    record: Record, host: str, target: Target, adapters: Adapters
) -> Published | AwaitingOwner:
    """A customer who shut us out of his zone does not keep his host from closing."""
    try:
        editor = _editor_of(host, target, adapters) or adapters.zone_editor
        return editor.withdraw(record)
    except AdapterError as error:
        if not error.permanent:
            raise
        return AwaitingOwner(error.public_message, (record,))


def _editor_of(host: str, target: Target, adapters: Adapters) -> ZoneEditor | None:
    """Who edits the zone of a host on a customer's domain; None for the platform's own hosts."""
    found = target.custom.get(host)
    if found is None:
        return None
    return adapters.customer_zone_editor(found.editor, found.zone, found.editor_values)


def close_old_address(target: Target, adapters: Adapters, now: datetime) -> Result:
    """After a rename: the host that visitors used until now goes."""
    old = replace(target, hosts=target.leaving_hosts, leaving_hosts=())
    withdraw_certificate(old, adapters, now)
    withdraw_dns(old, adapters, now)
    return Done(f"{', '.join(target.leaving_hosts)} is closed.")


def forget(target: Target, adapters: Adapters, now: datetime) -> Result:
    """The last step of a deletion; the row goes with it."""
    return Done("Deleted.")


def address_record(host: str, address: str) -> Record:
    return Record(name=host, type="A", values=(address,), ttl=RECORD_TTL_SECONDS)


def _usable_editor_of(host: str, target: Target, adapters: Adapters) -> ZoneEditor | None:
    """None where its settings are no use: an order that needs no record goes on."""
    try:
        return _editor_of(host, target, adapters)
    except AdapterError:
        return None


def _is_right(answers: tuple[Answer, ...], address: str) -> bool:
    return bool(answers) and all(
        answer.status == "found" and set(answer.values) == {address} for answer in answers
    )


def _not_yet(host: str, answers: tuple[Answer, ...], address: str, who: str) -> Wait:
    wrong = (
        next(a for a in answers if a.status != "found" or set(a.values) != {address})
        if answers
        else None
    )
    if wrong is None:
        return Wait(f"No name server could be asked about {host}.", "cannot_tell", PLATFORM)
    if wrong.status == "could_not_ask":
        message = f"{wrong.server} could not be asked about {host}: {wrong.detail}"
        return Wait(message, "cannot_tell", PLATFORM)
    if wrong.status == "found":
        found = ", ".join(wrong.values)
        message = f"{wrong.server} answered {found} for {host}, expected {address}."
        return Wait(message, "old_record", NOBODY, back_to="" if who == "public" else "publish_dns")
    message = f"{wrong.server} knows no address of {host} yet, expected {address}."
    if who == "authority":
        return Wait(message, "missing_at_authority", NOBODY, seconds=1, back_to="publish_dns")
    return Wait(message, "still_cached", NOBODY, seconds=wrong.ttl or None)
