"""Writes docs/api.md: the rules of the API, and every operation with whom it is for.

Run `python -m tests.api_table` after an operation was added or changed; a test compares.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from portal.api.openapi import Described
from portal.api.page_views import operations
from portal.limits import defaults

TARGET = Path(__file__).parent.parent / "docs" / "api.md"
HEAD = f"""# The JSON API

For programs of the account's people: what the pages do, as JSON, under `/api/v1/` of the platform's
host. The portal's page **API** (`/api/`) has every operation with a command to try it;
`/api/v1/openapi.json` is the OpenAPI 3.1 document, for generators of clients. The API of a deployed
client, which answers prompts, is another one: `docs/openai-api.md`.

    curl https://<platform>/api/v1/clients/ \\
      -H "Authorization: Bearer $PORTAL_TOKEN"

## Tokens

A person makes tokens under **You**, **API tokens**: for the account that is looked at, with the
present password, reading only or reading and changing, for 30 to 365 days, at most 20. The text is
shown once; the database has a hash. A token may do what its person may in that account at that
moment: another role counts from the next request on, and who is removed, blocked or revokes the
token is refused from the next request on. Cookies are not read, so no page of another site can make
a browser ask.

## What is sent and answered

- LLM clients, domains and keys are the documents of `docs/manifests.md` as JSON, checked by the
  rules of the pages. `PATCH` changes what is sent and leaves alone what is not; `status` is
  read-only, so what was answered may be sent back.
- A key's text is in the answer to the `POST` that made it, and nowhere else.
- Lists have `items`, fifty at a time, and `next`: the cursor of the page after it (`after` for
  clients, `before` elsewhere), or null.
- `/requests/` takes the filters of the page by the same names. A filter that makes no sense is
  refused here, where the page leaves it out.
- Deploying, closing, deleting and looking at a domain begin work in the background and answer 202;
  `status` tells how it goes, `cancel/` ends a deployment that is under way. A client without a key
  is deployed only with `confirmPublic`.
- A `POST` with an `Idempotency-Key` of the program's choosing may be sent again for a day: it is
  done once and answered as the first time, with `Idempotency-Replayed`. The text of a key is not
  told twice. What was refused may be sent again with the same key.
- One client is answered with an `ETag`. `If-None-Match` with it answers 304 while nothing has
  changed, `status` included. With `If-Match` a change, a deployment or a deletion is refused with
  412 where the client is not what the program has seen any more; without it the last one wins.
- `/domains/<id>/checks/` has the five checks of the last look, each with verdict, reason (the codes
  of `docs/domains.md`), sentence, who acts and what to do; `check/` asks for a look now.
- A body is one JSON object of at most 1 MB, 20 levels deep, no key twice; of manifests YAML, with
  images at most 7 MB (docs/manifests.md has the rest of its limits). `spec.data` of an image is
  told as type, size and SHA-256 in `differences`, and whole in the export only.

## What cannot be

Problem details (RFC 9457, `application/problem+json`): `detail` is a sentence, `errors` names the
fields, `requestId` is what to tell us. 401 without a token that works, 403 where it only reads or
the role is too small, 404 for what is not there and for what belongs to another account, 409 for
what stands in the way, 412 for what has changed since, 422 for a field that cannot be, 429 after
{defaults.API_RATE} requests a minute with one token, with `Retry-After`.

Every change stands in the audit log with `api` and the token's person.
"""


def table_of(tag: str, found: list[Described]) -> str:
    """The operations of one tag."""
    lines = [f"\n## {tag}\n", "| Operation | Method and path | Least role |", "|---|---|---|"]
    for one in found:
        lines.append(f"| {one.operation.summary} | `{one.method} {one.path}` | {one.least} |")
    return "\n".join(lines) + "\n"


def written() -> str:
    """The whole document."""
    groups = groupby(operations(), key=lambda one: one.operation.tag)
    return HEAD + "".join(table_of(tag, list(found)) for tag, found in groups)


def main() -> None:
    """Write it."""
    TARGET.write_text(written())


if __name__ == "__main__":
    main()
