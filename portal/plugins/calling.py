"""A plugin as it is used: a frozen value of its own, so that a call needs no row and no session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.plugins import api, selecting, sql, static
from portal.plugins.models import Plugin
from portal.plugins.parameters import PluginError, of_content, schema_of

HIDDEN = "[secret]"
SHORTEST_SECRET = 6


@dataclass(frozen=True)
class ServedPlugin:
    """What answering needs of a plugin; `problem` says why it cannot be used, "" if it can."""

    id: int
    name: str
    description: str
    kind: Plugin.Kinds
    selector: Plugin.Selectors
    search_terms: tuple[str, ...]
    content: Mapping[str, Any]
    secret: str = field(default="", repr=False)
    problem: str = ""

    def is_selected(self, question: str) -> bool:
        """Whether it belongs to this question without the model's asking for it."""
        if self.selector == Plugin.Selectors.SEARCH_TERMS:
            return selecting.mentions(question, self.search_terms)
        return self.selector == Plugin.Selectors.ALWAYS

    @property
    def is_offered(self) -> bool:
        """Whether the model decides."""
        return self.selector == Plugin.Selectors.LLM

    @property
    def needs_values(self) -> bool:
        """Whether it cannot be called before the model has given values."""
        return any(parameter.required for parameter in of_content(self.content))

    @property
    def parameters(self) -> dict[str, Any]:
        """The JSON schema of a call's arguments."""
        if self.kind == Plugin.Kinds.STATIC:
            return static.schema_of(self.content)
        return schema_of(of_content(self.content))

    def call(self, arguments: Mapping[str, Any], *, allow_private: bool) -> str:
        """The text for the model, its secret never in it. Raises PluginError."""
        if self.problem:
            raise PluginError(self.problem)
        try:
            return self._hidden(self._call(arguments, allow_private))
        except PluginError as error:
            raise PluginError(self._hidden(error.public_message)) from error

    def _call(self, arguments: Mapping[str, Any], allow_private: bool) -> str:
        if self.kind == Plugin.Kinds.STATIC:
            return static.call(self.content, arguments)
        module = api if self.kind == Plugin.Kinds.API else sql
        return module.call(self.content, self.secret, arguments, allow_private=allow_private)

    def _hidden(self, text: str) -> str:
        """Some servers repeat what they were sent."""
        found = {self.secret, self.secret.partition(" ")[2]}
        for secret in sorted(found, key=len, reverse=True):
            if len(secret) >= SHORTEST_SECRET:
                text = text.replace(secret, HIDDEN)
        return text
