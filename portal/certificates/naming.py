"""Which certificate a host is served with: its own, or the wildcard of its account."""

from __future__ import annotations

from portal.settings import Settings


def certificate_name(host: str, settings: Settings) -> str:
    """`*.<account>.<base>` for a single label below it, where we can prove that; else the host.

    A wildcard needs a record in the platform's zone, so the portal has to edit that zone itself.
    """
    label, _, parent = host.partition(".")
    account, _, base = parent.partition(".")
    if not can_have_wildcards(settings) or not (label and account):
        return host
    return f"*.{parent}" if base == settings.base_api_domain else host


def can_have_wildcards(settings: Settings) -> bool:
    """Whether hosts of an account share one certificate."""
    is_ours = settings.zone_editor != "manual"
    return settings.issuer == "acme" and settings.acme.wildcards and is_ours


def is_below(name: str, zone: str) -> bool:
    """Whether a name lies in a zone, or is its apex."""
    return name == zone or name.endswith(f".{zone}")
