"""What a typed domain becomes, told before it is added."""

from __future__ import annotations

from dataclasses import dataclass

from portal.custom_domains import names
from portal.custom_domains.names import NameRefused
from portal.custom_domains.surroundings import premises_of
from portal.database import current_settings


@dataclass(frozen=True)
class NamePreview:
    """The canonical name, as people and as name servers write it; or the reason against it."""

    name: str = ""
    shown: str = ""
    warning: str = ""
    looks_alike: bool = False
    problem: str = ""


def preview(text: str) -> NamePreview:
    """Asks nobody: only whether the text is a domain that could be added."""
    if not text.strip():
        return NamePreview()
    try:
        name = names.checked_name(text, premises_of(current_settings()))
    except NameRefused as refused:
        return NamePreview(problem=refused.public_message)
    shown = names.unicode_form(name)
    warning = names.look_alike_warning(name)
    looks_alike = " looks like " in warning
    return NamePreview(name=name, shown=shown, warning=warning, looks_alike=looks_alike)
