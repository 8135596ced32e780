"""Whether database, Redis and mail server are reached by TLS, read from their URLs. Pure."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

ENCRYPTED = ("require", "verify-ca", "verify-full")  # sslmode of libpq that never fall back
HOW = {
    "DATABASE_URL": "add ?sslmode=verify-full",
    "REDIS_URL": "use rediss://",
    "PORTAL_SMTP_URL": "take plain=yes out",
}


def is_this_machine(host: str) -> bool:
    """A socket, `localhost` or a loopback address: no network in between."""
    try:
        return not host or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return host.startswith("/")


def wants_plain(smtp_url: str) -> bool:
    """Whether mails may go without TLS to a server that offers none."""
    return _option(smtp_url, "plain") == "yes"


def in_the_clear(database_url: str, redis_url: str, smtp_url: str) -> list[str]:
    """The variables whose service would be reached over a network without TLS."""
    plain = {
        "DATABASE_URL": database_url.startswith("postgresql")
        and _option(database_url, "sslmode") not in ENCRYPTED,
        "REDIS_URL": redis_url.startswith("redis://"),
        "PORTAL_SMTP_URL": smtp_url.startswith("smtp://") and wants_plain(smtp_url),
    }
    urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "PORTAL_SMTP_URL": smtp_url}
    return [name for name, is_plain in plain.items() if is_plain and not _is_near(urls[name])]


def problems(database_url: str, redis_url: str, smtp_url: str) -> list[str]:
    """A sentence for each, with the way out."""
    return [
        f"{name} leads over a network without TLS; {HOW[name]}, "
        "or set PORTAL_PLAIN_SERVICES=yes if that network is yours alone."
        for name in in_the_clear(database_url, redis_url, smtp_url)
    ]


def _is_near(url: str) -> bool:
    return is_this_machine(_option(url, "host") or urlsplit(url).hostname or "")


def _option(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query).get(name, [""])[0]
