"""Whom a host answers for, in its own words: a certificate alone does not tell."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPException
from typing import cast

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from portal import outgoing
from portal.custom_domains.observations import Identity
from portal.errors import AdapterError

PATH = "/.well-known/llm-client"
SECONDS = 3.0
LONGEST_ANSWER = 256  # octets
RootsOf = Callable[[], str | None]
PUBLIC_ID = re.compile(r"[a-z][a-z0-9]{19}")


def ask_identity(
    host: str, address: str, port: int, roots_pem: RootsOf, *, allow_private_addresses: bool
) -> Identity:
    """Ask `address` as `host` over HTTPS; at most SECONDS, following no redirect.

    The certificate has to be good for `host` by these roots; None: by the machine's. Raises
    nothing for what a server does, nor for roots that cannot be read.
    """
    place = ("https", address, port, allow_private_addresses)
    connection = cast(HTTPSConnection, outgoing.KEPT.take(place, fresh=True))
    connection.server_hostname = host
    connection.timeout = SECONDS / 2  # of connecting, and of the handshake
    call = outgoing.Call()
    alarm = threading.Timer(SECONDS, call.abort)
    alarm.start()
    try:
        connection.ca_cert_data = roots_pem()
        with outgoing.watched(call):
            found = _answer(connection, host)
    except AdapterError as error:
        found = Identity(detail=error.detail)
    except (NewConnectionError, ConnectTimeoutError) as error:
        found = Identity(detail=f"No connection to {address}: {error.__cause__}"[:300])
    except (HTTPError, HTTPException, OSError) as error:
        found = Identity(detail=(str(error) or type(error).__name__)[:300])
    finally:
        alarm.cancel()
        call.finish()
        connection.close()
    # who was hung up on sees an error or an early end
    return Identity(detail=f"No whole answer within {SECONDS:g} s.") if call.aborted else found


def _answer(connection: HTTPSConnection, host: str) -> Identity:
    headers = {"Host": host, "Accept": "text/plain", "Connection": "close"}
    connection.request("GET", PATH, headers=headers, preload_content=False)
    with closing(connection.getresponse()) as response:
        if response.status != 200:
            return Identity(detail=f"It answers {response.status}.")
        body = response.read(LONGEST_ANSWER, decode_content=False)
    said = body.decode("utf-8", "replace").strip()
    if PUBLIC_ID.fullmatch(said):
        return Identity(said)
    return Identity(detail="It answers with something that is no client's id.")
