"""Whether the question that a certificate authority asks on port 80 would reach us."""

from __future__ import annotations

import ipaddress

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError

from portal import outgoing
from portal.custom_domains import preflight
from portal.custom_domains.observations import ChallengeAnswer
from portal.errors import AdapterError

SECONDS = 3.0
LONGEST_ANSWER = 1024  # octets


def ask_challenge_path(
    host: str, address: str, port: int, secret: str, *, allow_private_addresses: bool
) -> ChallengeAnswer:
    """Ask `address` for our own token on `host`; at most SECONDS, following no redirect."""
    asked = preflight.token(secret, host)
    place = f"[{address}]" if ipaddress.ip_address(address).version == 6 else address
    try:
        response = outgoing.pool(allow_private_addresses).request(
            "GET",
            f"http://{place}:{port}{preflight.PATH}{asked}",
            headers={"Host": host, "Connection": "close"},
            redirect=False,
            preload_content=False,
            timeout=urllib3.Timeout(total=SECONDS),
        )
        body = response.read(LONGEST_ANSWER).decode("utf-8", "replace").strip()
        response.close()
    except AdapterError as error:
        return ChallengeAnswer("private", address, error.detail)
    except NewConnectionError as error:
        return ChallengeAnswer("closed", address, f"Nothing listens there: {error}"[:300])
    except TimeoutError:
        return ChallengeAnswer("timeout", address, f"No answer within {SECONDS:g} s.")
    except (HTTPError, OSError) as error:
        return ChallengeAnswer("unreachable", address, str(error)[:300])
    if response.status == 200 and body == preflight.content(secret, host, asked):
        return ChallengeAnswer("ours", address)
    location = response.headers.get("Location", "")
    if 300 <= response.status < 400:
        return ChallengeAnswer("redirected", address, f"it redirects to {location}"[:300])
    return ChallengeAnswer("other", address, f"it answers {response.status}")
