"""Providers and their keys; every query starts from the account."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account
from portal.database import current_settings, db
from portal.llm_providers.catalogue import VENDORS
from portal.providers.models import DEMO, Provider, ProviderCredential
from portal.vault import current_sealer, named

HINT_LENGTH = 4


def _of(account_id: int) -> Select[tuple[Provider]]:
    """The account's providers; the demo only where something answers for it."""
    query = select(Provider).where(Provider.account_id == account_id)
    return query if current_settings().is_local else query.where(Provider.name != DEMO)


def all_of(account: Account) -> list[Provider]:
    """The account's providers, the demo first."""
    query = _of(account.id).options(joinedload(Provider.credential))
    return sorted(db.session.scalars(query), key=lambda found: (not found.is_demo, found.name))


def by_name(account_id: int, name: str) -> Provider | None:
    query = _of(account_id).where(Provider.name == name)
    return db.session.scalar(query.options(joinedload(Provider.credential)))


def for_account(account: Account, provider_id: int) -> Provider | None:
    """The account's provider with this number; None for any other's."""
    return db.session.scalar(_of(account.id).where(Provider.id == provider_id))


def base_url_of(provider: Provider) -> str:
    """Where to send prompts; the demo listens on a loopback port of our own choosing."""
    if provider.is_demo:
        return f"http://127.0.0.1:{current_settings().demo_port}/v1"
    return provider.base_url


def add_first(account: Account) -> None:
    """What an account begins with: in `local` the demo, in public nothing that nobody answers."""
    if current_settings().is_local:
        add_demo(account)


def add_demo(account: Account) -> Provider:
    """The provider that answers without a model, for trying out."""
    vendor = next(vendor for vendor in VENDORS if vendor.name == DEMO)
    provider = Provider(
        account_id=account.id,
        name=DEMO,
        label=vendor.label,
        base_url=vendor.base_url,
        default_model=vendor.default_model,
        models=[
            {"name": model.name, "max_output_tokens": model.max_output_tokens}
            for model in vendor.models
        ],
    )
    db.session.add(provider)
    return provider


def set_key(provider: Provider, key: str) -> None:
    """Seal a key for this provider; the one before it is gone. The row must have its number."""
    sealed = current_sealer().seal(key, belongs_to=belongs_to(provider))
    if provider.credential is None:
        provider.credential = ProviderCredential()
    provider.credential.sealed_key = sealed
    is_shown = len(key) >= 4 * HINT_LENGTH and not named.name_in(key)
    provider.credential.hint = key[-HINT_LENGTH:] if is_shown else ""


def key_of(provider: Provider) -> str:
    """The opened key, "" if there is none. Raises SealError."""
    return named.followed(provider.account_id, typed_key(provider))


@named.on_uses
def _uses(account_id: int) -> Iterator[named.Use]:
    query = select(Provider).where(Provider.account_id == account_id).order_by(Provider.name)
    for provider in db.session.scalars(query.options(joinedload(Provider.credential))):
        values = tuple(named.opened_or_nothing(partial(typed_key, provider)))
        label = f"Provider {provider.label or provider.name}"
        yield named.Use(label, "providers.show", {"provider_id": provider.id}, values)


def typed_key(provider: Provider) -> str:
    """The key, or the named secret that it refers to."""
    if provider.credential is None:
        return ""
    return current_sealer().open(provider.credential.sealed_key, belongs_to=belongs_to(provider))


def belongs_to(provider: Provider) -> str:
    return f"provider_credential/{provider.account_id}/{provider.id}"
