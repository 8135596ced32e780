"""Writes docs/manifests.md: every kind with the table of its fields.

Run `python -m tests.manifest_table` after a field was added or changed; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from portal.manifests.fields import Field, Parts, Types, bounds_of
from portal.manifests.kind import Kind
from portal.manifests.kinds import KINDS

TARGET = Path(__file__).parent.parent / "docs" / "manifests.md"
HEAD = """# Manifests

A manifest is a thing of the account as YAML: to keep in a repository, to look through, to apply
again or elsewhere.

    apiVersion: portal/v1
    kind: LLMClient
    metadata:
      name: lake_guide
      tags: [guests]
    spec:
      provider: demo
      defaultSystemRole: |-
        You help guests.
      deployed: true

What a manifest does not name is left alone. What is unknown is refused, with the nearest name as a
suggestion. `status` is what the portal saw: it is written, and where it is read it is left out.

## Where

- **Manifests** in the navigation: paste or upload, look at what would change, apply. If somebody
  changes one of the things between the look and the click, nothing is overwritten: the new
  difference is shown.
- A client’s tab **Manifest**, and `manifest_url` for programs.
- **Export the account**, of any size: everything as one text, without secrets, keys’ texts, signing
  secrets of webhooks and history; uploaded images with it (below). Applied in another account,
  names stay; host names follow from the account; custom domains are claims that are proven anew;
  named secrets have to be there before, and providers, plugins and zone editors say
  that typed ones are missing;
  clients of people who are not there become those of who applies;
  what a key opens is applied once a key of its name was made there.
- On the command line, as the account’s admin or as whoever `--as` names:

      python -m portal.cli manifest apply FILE… [--dry-run] [--yes] [--account NUMBER] [--as USER]
      python -m portal.cli manifest export [--client NAME] [--output FILE] [--account NUMBER]

  It ends with 0 where everything is as it should be, with 1 where something would change and was
  not changed, with 2 where a manifest cannot be applied.
- The JSON API speaks the same documents (`docs/api.md`).

A plan is the change itself, rolled back: what it shows is what would happen. It stands in the
audit log with `manifest`, `cli` or `api`, and is done by the verbs of the pages, in the order of
the kinds below. The rules of a value are those of the form on its page. A webhook’s signing secret
is shown once in the answer: on the page, on the command line’s output, in `secret` of the API.

## All or nothing

What is given at once, on the page, in one call of the API or with one command (several files
together), is applied whole or not at all, in one transaction:

- If one document cannot be, nothing is applied, and every problem is told with its line.
- If somebody changes a thing between plan and apply, or the portal is killed in the middle, nothing
  is applied.
- What would change nothing is left alone; applying the same twice changes nothing.

A long text is applied in parts, each whole or not at all, and the plan says so beforehand: on
SQLite 50 changes each, since it has one writer and whoever answers a prompt waits for it; on
PostgreSQL 5,000. Should a later part fail, the message says how many changes were applied and with
which document the rest begins. Correct that, and apply the same again: what is done stays as it is.
Deployments that a manifest begins are runs of their own after it; their pages tell how they go.

## How long it takes

1,000 clients with provider, plugins, tags and origins (437 kB), by the command line, on a slow
machine of two cores that had other work; processor time in seconds, the start of the program and
printing of the whole difference with it:

| | SQLite | PostgreSQL |
|---|---|---|
| plan (`--dry-run`) | 27 | 29 |
| plan and apply (`--yes`) | 44 | 48 |
| the same again, nothing to do | 12 | 16 |
| export | 9 | 9 |

Both grow with the number of documents only: at most 20 statements a new client for its plan, 16 to
apply it, 10 to see that nothing changes (`tests/manifests/test_many.py`). Documents share short
transactions while they are planned, so nobody who writes waits longer than about half a second.

## Limits of the text

256 kB and 500 documents on the page and in the API, where somebody waits for the answer; 64 MB and
50,000 documents on the command line, so that an export of any account is applied as it is. The
base64 of images has room of its own beside that: 6 MB on the page and in the API, 192 MB on the
command line. 20 levels. Aliases (`*`), tags (`!`) and keys that stand twice are refused, so that
nothing grows while it is read. Plain words mean what YAML 1.2 says: `yes`, `12:30` and `1.0.0` are
texts.

## Images

A logo or background that was uploaded is a document of the kind `Image`, named by the SHA-256 of
its octets; `spec.appLogoUpload` and `spec.appBackgroundUpload` of a client name it. An export has
those that a client shows, each once; `export --client` has those of that client; a client’s own
tab only their names.

    apiVersion: portal/v1
    kind: Image
    metadata:
      name: 3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7   # sha256sum logo.png
    spec:
      use: logo
      mediaType: image/png
      data: |-
        iVBORw0KGgo…                                                           # base64 logo.png

- Written by hand it is drawn anew from its pixels, as what is uploaded on a page is, so that
  nothing hidden in a file is shown to visitors. What is stored has a SHA-256 of its own then;
  clients may go on naming the file’s, and the same file again changes nothing.
- An export carries `proof` (HMAC-SHA-256 under `PORTAL_SECRET_KEY`) that this portal drew it. With
  it the octets are kept as they are, so that an account comes to another one, and out of it again,
  with the same text but `status` and owners who are not there. With another portal, or another
  key, an image is drawn anew: a logo (PNG) stays what it is, a background (WebP, lossy) gets other
  octets and another name.
- An account has its own copy. Nothing is found in another one, whatever is named.
- An image is added, never changed; taking one off a client is `appLogoUpload: ''`.
- A difference tells its type, size and the beginning of its SHA-256, never its octets.

## Secrets

A field that wants a secret takes the name of one of the account’s **Secrets**, never its value. It
is referred to, so a replaced secret counts at once. What was typed in on a page has no name and is
in no manifest; applying one without the field keeps it.
"""


def table_of(kind: Kind) -> str:
    """One kind with its fields."""
    lines = [f"\n## {kind.name}\n", f"{kind.about}\n"]
    lines += ["| Field | Holds | Limits | What it is |", "|---|---|---|---|"]
    for part in Parts:
        lines += [_row(kind, one) for one in kind.fields if one.part == part]
    return "\n".join(lines) + "\n"


def _row(kind: Kind, field: Field) -> str:
    about = field.about
    row = f"| `{field.path}` | {_holds(field)} | {_limits(kind, field)} | {about} |"
    inner = [f"`{one.name}` ({_holds(one)}): {one.about}" for one in field.fields]
    return row.replace(about, f"{about} Each has {' '.join(inner)}") if inner else row


def _holds(field: Field) -> str:
    if field.is_secret:
        return "name of a secret"
    return f"{field.type.value} or null" if field.is_nullable else field.type.value


def _limits(kind: Kind, field: Field) -> str:
    bounds, found = bounds_of(kind.form_class, field), []
    if field.is_read_only:
        return "read-only"
    if bounds.is_required:
        found.append("required")
    if field.choices:
        found.append(", ".join(f"`{one}`" for one in field.choices))
    if bounds.longest and field.type == Types.STRING and not field.is_secret:
        found.append(f"{bounds.longest:,} characters")
    if bounds.least is not None:
        found.append(f"{bounds.least} to {bounds.most}")
    return "; ".join(found)


def written() -> str:
    """The whole document."""
    return HEAD + "".join(table_of(kind) for kind in KINDS.values())


def main() -> None:
    """Write it."""
    TARGET.write_text(written())


if __name__ == "__main__":
    main()
