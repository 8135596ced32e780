"""One canonical form for every way to type a domain, or the reason why it is none. Pure.

IDNA 2008 (RFC 5891) with the mapping of UTS 46; stored and compared as A-labels in lower case.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

import idna

from portal.custom_domains import scripts
from portal.dns import suffixes
from portal.errors import PortalError

LONGEST_TYPED = 2048
LONGEST_NAME = 180  # leaves room for a client's name and `_acme-challenge` in 253 characters
RESERVED_ENDINGS = (
    "test",
    "example",
    "invalid",
    "localhost",
    "local",
    "internal",
    "onion",
    "alt",
    "arpa",
    "example.com",
    "example.net",
    "example.org",
)


class NameReasons(StrEnum):
    EMPTY = "empty"
    NOT_A_NAME = "not_a_name"
    TOO_LONG = "too_long"
    SINGLE_LABEL = "single_label"
    PUBLIC_SUFFIX = "public_suffix"
    ADDRESS = "address"
    WILDCARD = "wildcard"
    UNDERSCORE = "underscore"
    MIXED_SCRIPTS = "mixed_scripts"
    OURS = "ours"
    RESERVED = "reserved"


SENTENCES = {
    NameReasons.EMPTY: "Enter a domain, such as chat.yourcompany.com.",
    NameReasons.NOT_A_NAME: "This is not a domain name: only letters, digits, hyphens and dots may"
    " be in it, and no hyphen at the start or end of a part.",
    NameReasons.TOO_LONG: f"This name is too long: a part may have 63 characters, the whole"
    f" {LONGEST_NAME}.",
    NameReasons.SINGLE_LABEL: "A domain has at least two parts, such as yourcompany.com.",
    NameReasons.PUBLIC_SUFFIX: "Everybody may register names under {name}, so nobody can own it."
    " Enter a domain of your own below it.",
    NameReasons.ADDRESS: "This is an IP address. Enter the name that belongs to it.",
    NameReasons.WILDCARD: "Enter the domain without the asterisk. A wildcard record can be chosen"
    " on its page.",
    NameReasons.UNDERSCORE: "The name of a website has no underscore in it.",
    NameReasons.MIXED_SCRIPTS: "Letters of different scripts are mixed in “{label}”, which nobody"
    " can tell from another name. Type it again on one keyboard.",
    NameReasons.OURS: "{name} belongs to this platform. Enter a domain of your own.",
    NameReasons.RESERVED: "{name} is reserved for examples and private networks; nobody can visit"
    " it from the internet.",
}


class NameRefused(PortalError):
    """A typed domain that cannot be used; `reason` for programs, the sentence for the form."""

    def __init__(self, reason: NameReasons, **values: str) -> None:
        super().__init__(SENTENCES[reason].format(**values))
        self.reason = reason


@dataclass(frozen=True)
class Premises:
    """What is not for customers: names of the platform, and whether reserved names are refused."""

    own_names: tuple[str, ...] = ()
    allows_reserved: bool = False


def checked_name(text: str, premises: Premises) -> str:
    """The canonical form of a domain that an account may claim; raises NameRefused."""
    name = canonical_name(text)
    if _is_ours(name, premises.own_names):
        raise NameRefused(NameReasons.OURS, name=unicode_form(name))
    if not premises.allows_reserved and is_reserved(name):
        raise NameRefused(NameReasons.RESERVED, name=unicode_form(name))
    if suffixes.is_public_suffix(name):
        raise NameRefused(NameReasons.PUBLIC_SUFFIX, name=unicode_form(name))
    return name


def canonical_name(text: str) -> str:
    """The A-label form, lower case, without a trailing dot; raises NameRefused.

    Takes what people paste: a URL with scheme, user, port and path, full-width letters, percent
    codes, ideographic dots, spaces around it.
    """
    host = _host_typed(text)
    _refuse_other_things(host)
    try:
        encoded = idna.encode(host, uts46=True, std3_rules=True, transitional=False)
    except idna.IDNAError as error:
        too_long = "too long" in str(error).lower()
        reason = NameReasons.TOO_LONG if too_long else NameReasons.NOT_A_NAME
        raise NameRefused(reason) from error
    name = encoded.decode("ascii").lower()
    if len(name) > LONGEST_NAME:
        raise NameRefused(NameReasons.TOO_LONG)
    if _is_address(name):
        raise NameRefused(NameReasons.ADDRESS)
    for label in unicode_form(name).split("."):
        if scripts.mixes_scripts(label):
            raise NameRefused(NameReasons.MIXED_SCRIPTS, label=label)
    return name


def unicode_form(name: str) -> str:
    """The name as people write it; the A-label where it has no other form."""
    return ".".join(_unicode_label(label) for label in name.split("."))


def look_alike_warning(name: str) -> str:
    """A sentence if visitors could take the name for another one; "" for most names."""
    shown = unicode_form(name)
    if shown == name:
        return ""
    twins = {label: scripts.latin_twin(label) for label in shown.split(".")}
    if any(twins.values()):
        looks = ".".join(twins[label] or label for label in shown.split("."))
        return (
            f"{shown} looks like {looks} and is another domain: name servers know it as {name}."
            " Make sure that it is the one you own."
        )
    return f"Name servers know {shown} as {name}."


def registrable_domain(name: str) -> str:
    """The domain that somebody registered, which `name` is or lies in."""
    return suffixes.registrable(name)


def is_apex(name: str) -> bool:
    """Whether the name is itself what was registered: there, a CNAME is not allowed."""
    return suffixes.registrable(name) == name


def parents(name: str) -> tuple[str, ...]:
    """The names above, up to what was registered, the highest first."""
    labels, top = name.split("."), registrable_domain(name)
    above = [".".join(labels[start:]) for start in range(1, len(labels))]
    return tuple(reversed([one for one in above if is_within(one, top)]))


def is_within(name: str, domain: str) -> bool:
    """Whether `name` is `domain` or lies below it."""
    return name == domain or name.endswith(f".{domain}")


def _host_typed(text: str) -> str:
    if len(text) > LONGEST_TYPED:
        raise NameRefused(NameReasons.TOO_LONG)
    host = _trimmed(_narrow(unquote(text)))
    host = re.sub(r"^[a-z][a-z0-9+.-]*:(?=//)", "", host, flags=re.IGNORECASE)
    host = re.split(r"[/?#\\]", host.removeprefix("//"), maxsplit=1)[0]
    host = _trimmed(host.rpartition("@")[2])
    if host.startswith("[") or host.count(":") > 1:
        raise NameRefused(NameReasons.ADDRESS)
    return _trimmed(re.sub(r":\d*\Z", "", host)).strip(".")


def _trimmed(text: str) -> str:
    """Without spaces and invisible characters around it."""
    hidden = [c for c in set(text) if c.isspace() or unicodedata.category(c) in ("Cf", "Cc")]
    return text.strip("".join(hidden) or None)


def _narrow(text: str) -> str:
    """Full-width forms and the dots of other scripts as plain ones."""
    wide = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    return text.translate({**wide, 0x3002: ".", 0xFF61: ".", 0x3000: " "})


def _refuse_other_things(host: str) -> None:
    if not host:
        raise NameRefused(NameReasons.EMPTY)
    if "*" in host:
        raise NameRefused(NameReasons.WILDCARD)
    if "_" in host:
        raise NameRefused(NameReasons.UNDERSCORE)
    if _is_address(host):
        raise NameRefused(NameReasons.ADDRESS)
    if any(c.isspace() for c in host) or ".." in host:
        raise NameRefused(NameReasons.NOT_A_NAME)
    if "." not in host:
        raise NameRefused(NameReasons.SINGLE_LABEL)


def _is_address(host: str) -> bool:
    """Also in the spellings that browsers take for one: 127.1, 0x7f.0.0.1."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rpartition(".")[2].lower()
        return bool(re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last))
    return True


def _is_ours(name: str, own_names: tuple[str, ...]) -> bool:
    """Ours, below or above ours, or with ours in it at any position; `localhost` only itself."""
    return any(
        name == own or ("." in own and (f".{own}." in f".{name}." or is_within(own, name)))
        for own in own_names
    )


def is_reserved(name: str) -> bool:
    """Whether nobody on the internet can have the name (RFC 2606, RFC 6761)."""
    return any(is_within(name, ending) for ending in RESERVED_ENDINGS)


def _unicode_label(label: str) -> str:
    try:
        return idna.ulabel(label) if label.startswith("xn--") else label
    except idna.IDNAError:
        return label
