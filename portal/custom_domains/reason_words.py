"""The words for every reason: what is so, who acts, what to do about it.

Written for a person who has never seen DNS. `docs/domains.md` explains each at more length.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.custom_domains.results import Acts, Checks, Reasons, Verdicts

WRONG, WAIT, UNSURE = Verdicts.WRONG, Verdicts.WAIT, Verdicts.CANNOT_TELL
CUSTOMER, PLATFORM, NOBODY = Acts.CUSTOMER, Acts.PLATFORM, Acts.NOBODY
LOOKS_AGAIN = "We look again by ourselves."


@dataclass(frozen=True)
class Words:
    verdict: Verdicts
    who_acts: Acts
    sentence: str
    fix: str


WORDS: dict[Reasons, Words] = {
    Reasons.NAME_DOES_NOT_EXIST: Words(
        WRONG,
        CUSTOMER,
        "Nobody has registered {name}, or its registration has expired.",
        "Check the spelling, or register the domain and come back.",
    ),
    Reasons.NOT_DELEGATED: Words(
        WRONG,
        CUSTOMER,
        "{name} is registered, but no name server answers for it.",
        "Ask the company where the domain was registered to enter its name servers.",
    ),
    Reasons.MISSING_AT_AUTHORITY: Words(
        WRONG,
        CUSTOMER,
        "There is no {type} record at {name} yet.",
        "Add a {type} record with the name {label} and the value {value}.",
    ),
    Reasons.STILL_CACHED: Words(
        WAIT,
        NOBODY,
        "The {type} record at {name} is right. Some resolvers still remember what was there"
        " before.",
        "Nobody has to act: their memory ends by itself.",
    ),
    Reasons.AUTHORITIES_DISAGREE: Words(
        WAIT,
        NOBODY,
        "{right} of {all} name servers have the right {type} record at {name}; not yet: {servers}.",
        "They usually agree within minutes. If this lasts for an hour, ask the DNS provider why"
        " its name servers differ.",
    ),
    Reasons.WRONG_HOST: Words(
        WRONG,
        CUSTOMER,
        "The {type} record is right, but it stands at {place} in place of {name}.",
        "Change the name of the {type} record to {label} and leave its value.",
    ),
    Reasons.DOUBLED_LABEL: Words(
        WRONG,
        CUSTOMER,
        "The {type} record is right, but it is published under the domain twice, at {place}."
        " Most DNS panels add the domain by themselves.",
        "Change the name of the {type} record to {label} and leave its value.",
    ),
    Reasons.MISTYPED_VALUE: Words(
        WRONG,
        CUSTOMER,
        "The {type} record at {name} {fault}.",
        "Replace its value by {value}.",
    ),
    Reasons.OLD_RECORD: Words(
        WRONG,
        CUSTOMER,
        "An older {type} record is still at {name}: {others}.",
        "Remove the old {type} record and keep the one with {value}.",
    ),
    Reasons.CNAME_AT_APEX: Words(
        WRONG,
        CUSTOMER,
        "{name} is the top of its domain, where a CNAME breaks mail and everything else.",
        "Remove the CNAME and add the A record {value}, or use ALIAS to {target} if your DNS"
        " provider offers it.",
    ),
    Reasons.CNAME_BESIDE_OTHERS: Words(
        WRONG,
        CUSTOMER,
        "{name} has a CNAME and other records ({others}). Beside a CNAME nothing else may stand.",
        "Remove the other records at {label} and keep the CNAME to {value}.",
    ),
    Reasons.ALIAS_LOOP: Words(
        WRONG,
        CUSTOMER,
        "The aliases from {name} run in a circle or never end: {others}.",
        "Let the CNAME at {label} point straight to {value}.",
    ),
    Reasons.WILDCARD_ONLY: Words(
        WRONG,
        CUSTOMER,
        "{name} has no {type} record of its own; a wildcard record (*) of the domain answers in"
        " its place.",
        "Leave the wildcard and add a {type} record with the name {label} and the value {value}.",
    ),
    Reasons.STRAY_AAAA: Words(
        WRONG,
        CUSTOMER,
        "{name} also has an IPv6 address that is not ours: {others}. Some visitors and the"
        " certificate authority would go there.",
        "Remove the AAAA record at {label}.",
    ),
    Reasons.FOREIGN_ADDRESS: Words(
        WRONG,
        CUSTOMER,
        "{name} leads somewhere else: {others}.",
        "Change the record at {label} to {type} with the value {value}.",
    ),
    Reasons.PRIVATE_ADDRESS: Words(
        WRONG,
        CUSTOMER,
        "{name} has an address that works inside one network only: {others}.",
        "Change the record at {label} to {type} with the value {value}.",
    ),
    Reasons.BEHIND_PROXY: Words(
        WRONG,
        CUSTOMER,
        "{name} goes through {operator}, so visitors and the certificate authority do not reach"
        " us.",
        "Switch the proxy off for this record (“DNS only”) and let it be {type} with the value"
        " {value}.",
    ),
    Reasons.CAA_FORBIDS: Words(
        WRONG,
        CUSTOMER,
        "A CAA record at {level} allows other certificate authorities only: {others}.",
        "Add a CAA record at {level} with the value {value}, or remove those that are there.",
    ),
    Reasons.DNSSEC_BOGUS: Words(
        WRONG,
        CUSTOMER,
        "The DNSSEC signatures of {name} are wrong, so careful resolvers refuse to answer for it.",
        "Ask the DNS provider to sign the zone again, or remove the DS record at the company where"
        " the domain was registered.",
    ),
    Reasons.SERVFAIL: Words(
        UNSURE,
        CUSTOMER,
        "The name servers of {name} answer that they have a fault of their own.",
        f"If this lasts, ask the DNS provider about it. {LOOKS_AGAIN}",
    ),
    Reasons.REFUSED: Words(
        UNSURE,
        CUSTOMER,
        "The name servers of {name} refuse to answer for it.",
        "Ask the DNS provider whether the domain is still set up there.",
    ),
    Reasons.TIMEOUT: Words(
        UNSURE,
        NOBODY,
        "The name servers of {name} did not answer in time.",
        LOOKS_AGAIN,
    ),
    Reasons.LAME: Words(
        UNSURE,
        CUSTOMER,
        "The name servers entered for {name} say that they do not know it.",
        "Set the domain up at the DNS provider, or correct the name servers at the company where"
        " it was registered.",
    ),
    Reasons.TAKEN: Words(
        WAIT,
        NOBODY,
        "Another account uses {name}. Your proof is there; the domain moves here when the other"
        " proof has been gone for seven days.",
        "If the other record is yours as well, remove it: {others}.",
    ),
    Reasons.RESERVED: Words(
        WRONG,
        CUSTOMER,
        "{name} cannot be used: {detail}",
        "Remove it here and add a domain of your own.",
    ),
    Reasons.CA_RATE_LIMIT: Words(
        WAIT,
        NOBODY,
        "The certificate authority has issued as many certificates as it allows for now.",
        "We ask again as soon as it may be asked.",
    ),
    Reasons.CA_REFUSED: Words(
        WRONG,
        PLATFORM,
        "The certificate authority refused {name}. Its own words are below.",
        "We ask again later. What the authority says tells what has to change.",
    ),
    Reasons.PORT_80_CLOSED: Words(
        WRONG,
        PLATFORM,
        "{name} leads to us, but port 80 of {address} does not answer, which the certificate"
        " authority has to see.",
        "Open port 80 in the firewall in front of the platform.",
    ),
    Reasons.CHALLENGE_REDIRECTED: Words(
        WRONG,
        CUSTOMER,
        "Something in front of {name} answers the certificate authority's question in our place"
        " ({detail}).",
        "Switch off redirects, proxies and forwarding for {name}.",
    ),
    Reasons.NOT_YET_SERVED: Words(
        WAIT,
        NOBODY,
        "The certificate for {name} is there; visitors do not get it yet. {detail}",
        "This takes a minute at most. " + LOOKS_AGAIN,
    ),
    Reasons.CLOCK_SKEW: Words(
        WRONG,
        PLATFORM,
        "The certificate for {name} begins in the future, so a clock is wrong. {detail}",
        "Set the clock of the platform's servers by a time server.",
    ),
    Reasons.OTHER_CLIENT: Words(
        WRONG,
        PLATFORM,
        "{name} has the right certificate, but another client ({others}) answers there.",
        "Look where the server in front of the platform sends {name}: it has to be this portal,"
        " with its newest state.",
    ),
    Reasons.EDITOR_REFUSED: Words(
        WRONG,
        PLATFORM,
        "The records could not be published for you: {detail}",
        "Correct the access to the DNS provider, or enter the records by hand.",
    ),
    Reasons.NOT_DEPLOYED: Words(
        WAIT,
        NOBODY,
        "No deployed client answers at {name}.",
        "It starts when a client is attached to the domain and deployed.",
    ),
    Reasons.WAITS_FOR_OTHERS: Words(
        WAIT,
        NOBODY,
        "Starts when {others}.",
        "Nobody has to act here.",
    ),
    Reasons.CANNOT_TELL: Words(
        UNSURE,
        NOBODY,
        "We could not find out about {name}. What was known before stays.",
        LOOKS_AGAIN,
    ),
}

# Where another sentence says it better.
OF_CHECK: dict[tuple[Reasons, Checks], Words] = {
    (Reasons.OLD_RECORD, Checks.OWNERSHIP): Words(
        WRONG,
        CUSTOMER,
        "The TXT record at {name} holds another value: {others}.",
        "Add a second TXT record with the value {value}, or replace this one if it is old.",
    ),
    (Reasons.MISTYPED_VALUE, Checks.OWNERSHIP): Words(
        WRONG,
        CUSTOMER,
        "The value of the TXT record at {name} {fault}.",
        "Replace the value by {value}, exactly as it is shown here.",
    ),
    (Reasons.DOUBLED_LABEL, Checks.ROUTING): Words(
        WRONG,
        CUSTOMER,
        "A domain was added twice: {others}. Most DNS panels add the domain by themselves.",
        "Enter the CNAME with the name {label} and the value {value}, with a dot at the end of the"
        " value if the panel adds the domain.",
    ),
    (Reasons.DNSSEC_BOGUS, Checks.OWNERSHIP): Words(
        UNSURE,
        CUSTOMER,
        "The DNSSEC signatures of {name} are wrong, so what stands there cannot be trusted.",
        "See the first check.",
    ),
    (Reasons.LAME, Checks.EXISTS): Words(
        WRONG,
        CUSTOMER,
        "The name servers entered for {name} say that they do not know it.",
        "Set the domain up at the DNS provider, or correct the name servers at the company where"
        " it was registered.",
    ),
}


def words_of(reason: Reasons, check: Checks) -> Words:
    """The words of a reason in a check."""
    return OF_CHECK.get((reason, check), WORDS[reason])
