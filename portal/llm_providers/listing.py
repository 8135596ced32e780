"""Which models a provider has: `GET /models` of the OpenAI protocol, asked with the key."""

import json
from datetime import UTC, datetime

from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError
from urllib3.util import Timeout

from portal import outgoing
from portal.llm_providers.catalogue import vendor_at
from portal.llm_providers.failures import failure, status_failure

SECONDS = 10.0
LONGEST = 2_000_000


def list_models(
    base_url: str, api_key: str, *, allow_private_addresses: bool, seconds: float = SECONDS
) -> tuple[str, ...]:
    """The names of the models, sorted. Raises AdapterError (`bad_url`) and ProviderError."""
    outgoing.check_url(base_url, allow_private_addresses)
    asked = headers_for(base_url, api_key)
    status, headers, body = _asked(base_url, api_key, asked, allow_private_addresses, seconds)
    if status != 200:
        raise status_failure(status, headers, body, secret=api_key, now=datetime.now(UTC))
    return _names(body, api_key)


def headers_for(base_url: str, api_key: str) -> dict[str, str]:
    """Those of the protocol, but for a vendor that wants others for its list."""
    vendor = vendor_at(base_url)
    own = dict(vendor.list_headers) if vendor else {}
    if api_key and vendor and vendor.list_key_header:
        own[vendor.list_key_header] = api_key
    elif api_key:
        own["Authorization"] = f"Bearer {api_key}"
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "portal",
        **own,
    }


def _asked(
    base_url: str, api_key: str, headers: dict[str, str], allow_private: bool, seconds: float
) -> tuple[int, dict[str, str], bytes]:
    try:
        answer = outgoing.pool(allow_private).request(
            "GET",
            base_url.rstrip("/") + "/models",
            headers=headers,
            timeout=Timeout(total=seconds),
            redirect=False,
            preload_content=False,
        )
        try:
            body = answer.read(LONGEST + 1)
        finally:
            answer.release_conn()
    except NewConnectionError as error:  # in urllib3 a kind of time-out
        raise failure("unreachable", str(error), secret=api_key) from error
    except TimeoutError as error:
        raise failure("timeout", str(error), secret=api_key) from error
    except (HTTPError, OSError) as error:
        raise failure("unreachable", str(error), secret=api_key) from error
    if len(body) > LONGEST:
        answer.close()
        raise failure("too_large", "the list is longer than 2 MB", secret=api_key)
    return answer.status, dict(answer.headers), body


def _names(body: bytes, api_key: str) -> tuple[str, ...]:
    try:
        content = json.loads(body)
        entries = content["data"] if isinstance(content, dict) else content
        names = {str(entry["id"])[:200] for entry in entries if entry.get("id")}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        start = body[:200].decode("utf-8", "replace")
        raise failure("malformed", f"not a list of models: {start}", secret=api_key) from error
    return tuple(sorted(name.replace("\x00", "") for name in names))
