"""The form of the page: a text that is pasted, or a file."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import FileField, HiddenField, TextAreaField

from portal.manifests import reading
from portal.manifests.reading import Document, NotReadable


class ManifestForm(FlaskForm):
    """What is to be applied; `made_from` is of the plan that the person has seen."""

    text = TextAreaField("Manifest")
    file = FileField("Or a file")
    made_from = HiddenField()

    documents: list[Document]

    def read(self) -> bool:
        """Take the file where there is one, and parse; what is wrong stands at the text."""
        if getattr(self.file.data, "filename", ""):
            self._take_file(self.file.data)
        self.text.errors = [*self.text.errors, *self._problems()]
        return not self.errors

    def _take_file(self, file: Any) -> None:
        content = file.stream.read(reading.ON_PAGE.octets + reading.ON_PAGE.images + 1)
        self.text.data = content.decode("utf-8", "replace").replace("\r\n", "\n")

    def _problems(self) -> list[str]:
        text = (self.text.data or "").replace("\r\n", "\n")
        if not text.strip():
            return ["Paste a manifest, or choose a file."]
        try:
            self.documents = reading.documents_of(text)
        except NotReadable as error:
            return [error.public_message]
        return [] if self.documents else ["There is no manifest in this text."]
