"""Almost right: where else a record may stand, and what its value was meant to be. Pure.

DNS panels add the domain by themselves, people copy one label too much or too little, word
processors make quotes curly.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.custom_domains.records import OWNERSHIP_LABEL, TOKEN_PREFIX
from portal.custom_domains.results import Reasons

QUOTES = "\"'`´“”„‟‘’«»"
FEW_TYPOS = 3
MOST_HOSTS = 3


@dataclass(frozen=True)
class Place:
    """A name at which a record may stand by mistake."""

    name: str
    reason: Reasons


def ownership_places(domain: str, zone: str, hosts: tuple[str, ...]) -> tuple[Place, ...]:
    """Where the proof of a domain is found when it is not where it belongs."""
    right = f"{OWNERSHIP_LABEL}.{domain}"
    labels = ("llm-verify", "_llmverify", "_llm_verify", "llm_verify", "_llm-verfiy", "_llm.verify")
    beside = [
        domain,
        *(f"{label}.{domain}" for label in labels),
        f"{OWNERSHIP_LABEL}.www.{domain}",
        f"{OWNERSHIP_LABEL}.{zone}" if zone else right,
        *(f"{OWNERSHIP_LABEL}.{host}" for host in hosts[:MOST_HOSTS]),
    ]
    return _places(right, _doubled(right, domain, zone), beside)


def routing_places(host: str, domain: str, zone: str) -> tuple[Place, ...]:
    """Where a host's record is found when it is not where it belongs."""
    label = host.split(".")[0]
    beside = [f"{label}.{zone}" if zone else host, domain, f"www.{host}", f"_{host}"]
    if "-" in label:
        beside.append(host.replace(label, label.replace("-", "_"), 1))
        beside.append(host.replace(label, label.replace("-", ""), 1))
    return _places(host, _doubled(host, domain, zone), beside)


def _doubled(name: str, domain: str, zone: str) -> list[str]:
    return [f"{name}.{domain}", *([f"{name}.{zone}"] if zone else [])]


def _places(right: str, doubled: list[str], beside: list[str]) -> tuple[Place, ...]:
    reasons = dict.fromkeys(beside, Reasons.WRONG_HOST)
    reasons.update(dict.fromkeys(doubled, Reasons.DOUBLED_LABEL))
    ordered = [*dict.fromkeys(doubled), *dict.fromkeys(beside)]
    return tuple(
        Place(name, reasons[name])
        for name in dict.fromkeys(ordered)
        if name != right and len(name) <= 253
    )


def value_fault(found: str, expected: str) -> str:
    """What is wrong with a value that was meant to be `expected`, in words; "" for another one."""
    if found == expected:
        return ""
    bare = found.strip().strip(QUOTES).strip()
    token = expected.removeprefix(TOKEN_PREFIX)
    if bare == expected:
        return "has quotes around it" if found.strip() != bare else "has spaces around it"
    if "".join(bare.split()) == expected:
        return "has a space in it"
    if bare.lower() == expected.lower():
        return "has capital letters in place of small ones"
    if token != expected and bare in (token, f"={token}"):
        return f"lacks {TOKEN_PREFIX} at its beginning"
    if expected in found:
        return "has something more in it"
    if len(bare) >= len(expected) // 2 and expected.startswith(bare):
        return "was cut off"
    if distance(bare.lower(), expected.lower(), FEW_TYPOS) <= FEW_TYPOS:
        return "has a typing mistake in it"
    return ""


def target_fault(found: str, expected: str, zone: str) -> Reasons | None:
    """Whether the target of an alias was meant to be `expected`, and how it went wrong."""
    if zone and found == f"{expected}.{zone}":
        return Reasons.DOUBLED_LABEL
    if found.startswith(f"{expected}."):
        return Reasons.DOUBLED_LABEL
    if distance(found, expected, FEW_TYPOS) <= FEW_TYPOS:
        return Reasons.MISTYPED_VALUE
    return None


def address_fault(found: str, expected: tuple[str, ...]) -> bool:
    """Whether an address is one keystroke away from ours."""
    return any(found != one and distance(found, one, 1) <= 1 for one in expected)


def distance(left: str, right: str, most: int) -> int:
    """How many keystrokes apart (a swap of two neighbours is one); `most` + 1 for anything more."""
    if abs(len(left) - len(right)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(right, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)
