"""The kind Image: the octets of an uploaded logo or background, named by their SHA-256.

An account has its own copy of each. What comes from elsewhere is drawn anew, as every upload is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from portal.accounts import audit
from portal.accounts.models import Account
from portal.llm_clients import image_proofs, images
from portal.llm_clients.image_making import (
    BACKGROUND,
    LOGO,
    NOT_AN_IMAGE,
    ImageRefused,
    MadeImage,
    drawn_from,
    kept_as_it_is,
)
from portal.llm_clients.image_models import ClientImage
from portal.manifests import image_data
from portal.manifests.fields import Field, Types, metadata, status
from portal.manifests.image_data import MEDIA_TYPES, NotAnImage
from portal.manifests.kind import NO_CSRF, Kind, Person, Refused, Values

DIGEST = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
NOT_A_DIGEST = "name: An image is named by the SHA-256 of its data, 64 hexadecimal digits."
OTHER_DATA = "name: It is not the SHA-256 of data, which is {}."
OTHER_TYPE = "mediaType: It says {}, but data is {}."
NO_USE = "use: Say what it is for, logo or background."
NO_DATA = "data: The account has no such image yet: its data is needed, as base64."
TWO_USES = "use: The account has it as a logo and as a background. Say which is meant."
ROLE = "Your role in this account does not allow this."


class ImageKind(Kind):
    """Images, found by their octets or those that they were drawn from. None is ever changed."""

    name = "Image"
    about = "An uploaded logo or background, which clients name by its SHA-256."
    outdates = ("images",)
    fields = (
        metadata("name", "The SHA-256 of its data, in hexadecimal digits."),
        Field("use", "What it is for.", choices=(LOGO, BACKGROUND)),
        Field("mediaType", "What its data is.", choices=MEDIA_TYPES),
        Field("data", "Its octets as base64, 3 MB of them at most."),
        Field("proof", "That this portal drew it; without, it is drawn anew from its pixels."),
        status("width", "In pixels.", Types.INTEGER),
        status("height", "In pixels.", Types.INTEGER),
    )

    def find(self, given: Values, person: Person) -> ClientImage | None:
        """Its own name, that of its file, or what its data becomes. Raises Refused."""
        name, use = str(given.get("name") or ""), given.get("use", "")
        if not DIGEST.match(name):
            raise Refused("name", NOT_A_DIGEST)
        if "data" in given:
            _octets(given)
        found = images.named(person.account.id, name, use)
        if len({one.kind for one in found}) > 1:
            raise Refused("use", TWO_USES)
        if found or not use or "data" not in given:
            return found[0] if found else None
        return images.find(person.account.id, _drawn(given, person).sha256)

    def all_of(self, account: Account) -> Iterator[ClientImage]:
        return images.shown_by_clients(account.id)

    def read(self, row: ClientImage) -> Values:
        return {
            "name": row.sha256,
            "use": row.kind,
            "mediaType": row.media_type,
            "data": image_data.in_words(row.media_type, len(row.content), row.sha256),
        }

    def status(self, row: ClientImage) -> Values:
        return {"width": row.width, "height": row.height}

    def document(self, row: ClientImage) -> Values:
        octets = {
            "data": image_data.text_of(row.content),
            "proof": image_proofs.proof_of(row.kind, row.sha256),
        }
        return self.document_of({**self.read(row), **octets}, self.status(row))

    def refusal(self, row: ClientImage | None, person: Person) -> str:
        return "" if person.profile.may_edit else ROLE

    def first_values(self, given: Values, person: Person) -> Values:
        if "use" not in given:
            raise Refused("use", NO_USE)
        if "data" not in given:
            raise Refused("data", NO_DATA)
        return {}

    def form_of(self, sent: MultiDict[str, str], row: Any, person: Person) -> FlaskForm:
        return FlaskForm(formdata=sent, meta=NO_CSRF)

    def settle(self, row: ClientImage | None, form: Any, values: Values, person: Person) -> Values:
        if row is not None:
            return self.read(row)
        made = _drawn(values, person)
        told = image_data.in_words(made.media_type, len(made.content), made.sha256)
        kept = {"name": values["name"], "use": made.kind}
        return {**kept, "mediaType": made.media_type, "data": told}

    def remarks(
        self, row: ClientImage | None, given: Values, changed: set[str], person: Person
    ) -> list[str]:
        if row is not None:
            return []
        made = _drawn(given, person)
        if made.sha256 == given["name"]:
            return []
        return [f"Drawn anew from its pixels, as every upload: its own SHA-256 is {made.sha256}."]

    def store(
        self,
        row: ClientImage | None,
        form: Any,
        values: Values,
        changed: set[str],
        person: Person,
    ) -> ClientImage:
        made = person.drawn[values["use"], values["name"]]
        images.keep(person.account.id, made)
        stored = images.named(person.account.id, made.sha256, made.kind)[0]
        after = {"use": made.kind, "media_type": made.media_type, "sha256": made.sha256}
        after |= {"octets": len(made.content), "width": made.width, "height": made.height}
        audit.record(person.actor, "image_added", stored, after=after, name=made.sha256[:12])
        return stored


def _octets(given: Values) -> bytes:
    """What data says, if name and mediaType are true of it. Raises Refused."""
    try:
        found = image_data.octets_of(given["data"])
    except NotAnImage as error:
        raise Refused("data", f"data: {error}") from error
    digest, media_type = hashlib.sha256(found).hexdigest(), image_data.media_type_of(found)
    if not media_type:
        _refuse_other(found)
    if given.get("mediaType", media_type) != media_type:
        raise Refused("mediaType", OTHER_TYPE.format(given["mediaType"], media_type))
    if digest != given["name"]:
        raise Refused("name", OTHER_DATA.format(digest))
    return found


def _refuse_other(content: bytes) -> None:
    try:
        drawn_from(content, LOGO)
    except ImageRefused as error:
        raise Refused("data", f"data: {error.public_message}") from error
    raise Refused("data", f"data: {NOT_AN_IMAGE}")


def _drawn(given: Values, person: Person) -> MadeImage:
    """What becomes of the octets, drawn once for whoever plans and applies. Raises Refused."""
    use, name = given["use"], given["name"]
    if (use, name) not in person.drawn:
        person.drawn[use, name] = _made(_octets(given), use, name, given.get("proof", ""))
    return person.drawn[use, name]


def _made(content: bytes, use: str, name: str, proof: str) -> MadeImage:
    try:
        if image_proofs.is_proven(use, name, proof):
            return kept_as_it_is(content, use)
        return drawn_from(content, use)
    except ImageRefused as error:
        raise Refused("data", f"data: {error.public_message}") from error
