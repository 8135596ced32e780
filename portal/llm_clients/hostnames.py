"""Names and addresses of a client: pure functions, tested with the mission's own examples.

RFC 1034 section 3.5 (labels), section 3.1 (63 octets a label, 253 characters a name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import urlsplit

LABEL_LENGTH = 63
NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
_NOT_ALLOWED = re.compile(r"[^a-z0-9-]")
_HYPHENS = re.compile(r"-+")


class Mode(StrEnum):
    """In what surroundings a client is being used."""

    CUSTOM = "custom"
    DEFAULT = "default"
    SANDBOX = "sandbox"
    UNKNOWN = "unknown"


def rfc1034_label(text: str, length: int = LABEL_LENGTH) -> str:
    """One label: lower case, `_` and spaces to `-`, no runs of `-` nor at the ends; or nothing."""
    lowered = text.lower().replace("_", "-").replace(" ", "-")
    cleaned = _HYPHENS.sub("-", _NOT_ALLOWED.sub("", lowered)).strip("-")
    return cleaned[: max(0, length)].strip("-")


def rfc1034_compliant_name(name: str, username: str, is_account_admin: bool) -> str:
    """`example`, or `example.user123` if the owner is not the account admin; "" if nothing is left.

    The whole is at most 63 characters; it is the client's part that is cut.
    """
    if is_account_admin:
        return rfc1034_label(name)
    owner = rfc1034_label(username)
    client = rfc1034_label(name, LABEL_LENGTH - len(owner) - 1) if owner else rfc1034_label(name)
    if not client or not owner:
        return client
    return f"{client}.{owner}"


def base_default_host(account_number: str, base_api_domain: str) -> str:
    """What follows a client's name, with its dot: `.1234-5678-9012.alpha.api.example.com`."""
    return f".{account_number}.{base_api_domain}"


def default_host(compliant_name: str, account_number: str, base_api_domain: str) -> str:
    """`example.1234-5678-9012.alpha.api.example.com`."""
    return compliant_name + base_default_host(account_number, base_api_domain)


def custom_host(name: str, domain_name: str) -> str:
    """`example.example.com`: the client's name as a label, and the domain."""
    return f"{rfc1034_label(name)}.{domain_name}"


def mode_of(url: str, *, sandbox_host: str, custom: Iterable[str], default: str) -> Mode:
    """Which of a client's hosts a URL (or bare host) is on. Case and port do not matter."""
    host = host_of(url)
    if not host:
        return Mode.UNKNOWN
    known = {sandbox_host: Mode.SANDBOX, default: Mode.DEFAULT}
    known.update(dict.fromkeys(custom, Mode.CUSTOM))
    return known.get(host, Mode.UNKNOWN)


def host_of(url: str) -> str:
    """The host of a URL or of `host:port`, lower-case, without a final dot; "" if there is none."""
    text = url.strip()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host.removesuffix(".")


def what_changed(name: str, compliant_name: str) -> str:
    """A sentence for the form when the address differs from the name; "" when it does not."""
    label = compliant_name.partition(".")[0]
    if not label or label == name:
        return ""
    changes = []
    if name.lower() != name:
        changes.append("Capitals became small letters.")
    if "_" in name:
        changes.append("The _ became a -.")
    if len(rfc1034_label(name, len(name))) > len(label):
        changes.append("It was cut to fit.")
    return " ".join(changes)
