"""Who publishes in a customer's zone: its editor's settings, the secret ones sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from sqlalchemy import select

from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.dns import SettingField
from portal.vault import current_sealer, named
from portal.vault.sealing import SealError


def keep_values(
    domain: LLMClientCustomDomain,
    kind: str,
    fields: tuple[SettingField, ...],
    values: Mapping[str, str],
) -> None:
    """Store the settings of the chosen editor; an empty secret keeps the one that is there."""
    known = typed_values(domain) if domain.zone_editor == kind else {}
    secret = {field.name for field in fields if field.secret}
    sealed = {name: values.get(name) or known.get(name, "") for name in secret}
    domain.zone_editor = kind
    domain.zone_editor_settings = {
        field.name: values.get(field.name, "") for field in fields if not field.secret
    }
    domain.sealed_settings = (
        current_sealer().seal(json.dumps(sealed), belongs_to=_belongs_to(domain)) if sealed else ""
    )


def values_of(domain: LLMClientCustomDomain) -> dict[str, str]:
    """All settings of the domain's editor, the secret ones opened; never for a page.

    Raises SealError.
    """
    return named.all_followed(domain.account_id, typed_values(domain))


@named.on_uses
def _uses(account_id: int) -> Iterator[named.Use]:
    query = select(LLMClientCustomDomain).where(
        LLMClientCustomDomain.account_id == account_id, LLMClientCustomDomain.sealed_settings != ""
    )
    for domain in db.session.scalars(query.order_by(LLMClientCustomDomain.domain_name)):
        try:
            values = tuple(typed_values(domain).values())
        except SealError:
            continue
        label, number = f"Zone of {domain.domain_name}", {"custom_domain_id": domain.id}
        yield named.Use(label, "custom_domains.show", number, values)


def typed_values(domain: LLMClientCustomDomain) -> dict[str, str]:
    """The same, where named secrets are not followed. Raises SealError."""
    values = {str(name): str(value) for name, value in domain.zone_editor_settings.items()}
    if domain.sealed_settings:
        opened = current_sealer().open(domain.sealed_settings, belongs_to=_belongs_to(domain))
        values |= json.loads(opened)
    return {name: value for name, value in values.items() if value}


def _belongs_to(domain: LLMClientCustomDomain) -> str:
    return f"custom domain/{domain.account_id}/{domain.domain_name}"
