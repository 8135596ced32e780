"""Signing on with another portal (OpenID Connect Core 1.0); knows no portal model."""

from portal.open_id.id_tokens import Identity
from portal.open_id.provider import OpenIdProvider

__all__ = ["Identity", "OpenIdProvider"]
