"""What a client has beside its form: plugins, origins, its domain, whether it is deployed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.accounts import audit
from portal.accounts.models import Account
from portal.custom_domains import claims
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import db
from portal.domain_setup import needed
from portal.errors import PortalError
from portal.llm_clients import images, plugin_attaching, revisions
from portal.llm_clients.deployment import custom
from portal.llm_clients.deployment.jobs import begin, ring_for
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.llm_clients.pages.embed_views import AllowedOriginsForm
from portal.manifests.kind import NO_CSRF, Person, Refused, Values
from portal.plugins import finding as plugin_finding
from portal.plugins.models import Plugin
from portal.providers import finding as provider_finding
from portal.providers.models import Provider

NOTHING: Values = {
    "plugins": [],
    "allowedOrigins": [],
    "customDomain": "",
    "usesBareDomain": False,
    "deployed": False,
}
UPLOADS = {images.LOGO: "appLogoUpload", images.BACKGROUND: "appBackgroundUpload"}
WITH_IT = "Apply its Image too, which the export of the account that has it holds."
PUBLIC = "No API key is attached: anyone who knows the address can use this client."
NOT_PUBLISHED = "Visitors keep the published revision until the new one is published."


@dataclass(frozen=True)
class Known:
    """What many clients share, asked for once: plugins by number, and who shall be deployed."""

    plugins: dict[int, str]
    wanted: frozenset[int]


def known_of(account: Account) -> Known:
    """For all clients of an account."""
    plugins = {plugin.id: plugin.name for plugin in plugin_finding.all_of(account)}
    return Known(plugins, custom.wanted_of(account.id))


def _known_of(row: LLMClient) -> Known:
    """For one client."""
    wanted = {row.id} if custom.is_wanted(row) else set()
    numbers = [entry.plugin_id for entry in row.llmclientplugin_set]
    names = plugin_finding.names_of(row.account_id, numbers)
    return Known(dict(zip(numbers, names, strict=True)), frozenset(wanted))


def read(row: LLMClient, known: Known | None = None) -> Values:
    """The client’s surroundings as a manifest has them."""
    known = known or _known_of(row)
    attached = plugin_attaching.attached_to(row)
    return {
        "plugins": [known.plugins[entry.plugin_id] for entry in attached if entry.is_on],
        "allowedOrigins": list(row.allowed_origins),
        "customDomain": row.custom_domain.domain_name if row.custom_domain else "",
        "usesBareDomain": row.uses_bare_domain,
        "deployed": row.id in known.wanted,
    }


def status(row: LLMClient) -> Values:
    """What the portal saw and made."""
    published = row.published_revision
    return {
        "id": row.id,
        "hashedId": row.hashed_id,
        "deployed": row.deployed,
        "ready": row.ready,
        "dnsVerificationStatus": row.dns_verification_status.value,
        "tlsCertificateIssuanceStatus": row.tls_certificate_issuance_status.value,
        "isPublic": row.is_public,
        "newestRevision": row.newest_revision_number,
        "publishedRevision": published.number if published else None,
        "defaultHost": row.default_host,
        "defaultUrl": row.default_url,
        "customHost": row.custom_host,
        "customUrl": row.custom_url,
        "sandboxUrl": row.sandbox_url,
        "manifestUrl": row.manifest_url,
        "urlLlmClient": row.url_llm_client,
        "urlChatConfig": row.url_chat_config,
        "hasUploadedImages": bool(row.app_logo_upload or row.app_background_upload),
        "createdAt": row.created_at.isoformat(),
        "updatedAt": row.updated_at.isoformat(),
    }


def settled(values: Values, person: Person) -> Values:
    """The values as they are stored. Raises Refused for what the account has not."""
    _check_plugins(values["plugins"], person)
    for kind, name in UPLOADS.items():
        values[name] = _image_named(kind, name, values[name], person)
    values["allowedOrigins"] = _origins(values["allowedOrigins"])
    values["customDomain"] = values["customDomain"].strip().lower().removesuffix(".")
    domain_named(values["customDomain"], person)
    values["usesBareDomain"] = bool(values["usesBareDomain"] and values["customDomain"])
    return values


def _image_named(kind: str, field: str, given: str, person: Person) -> str:
    """The SHA-256 of the account’s own image. Raises Refused where it has none of this name."""
    if not given:
        return ""
    made = person.drawn.get((kind, given))
    known = person.once("images", lambda: images.digests_of(person.account.id))
    found = known.get((kind, made.sha256 if made else given))
    if found is None:
        raise Refused(field, f"{field}: The account has no {kind} {given[:64]}. {WITH_IT}")
    return found


def _origins(lines: list[str]) -> list[str]:
    form = AllowedOriginsForm(
        formdata=MultiDict({"allowed_origins": "\n".join(lines)}), meta=NO_CSRF
    )
    if not form.validate():
        raise Refused("allowedOrigins", " ".join(form.allowed_origins.errors))
    return list(form.allowed_origins.data or [])


def providers_of(person: Person) -> list[Provider]:
    """The account's providers; many clients name them."""
    return person.once("providers", lambda: provider_finding.all_of(person.account))


def _plugins_of(person: Person) -> dict[str, int]:
    """Numbers of the account's plugins by their names."""

    def ask() -> dict[str, int]:
        query = select(Plugin.name, Plugin.id).where(Plugin.account_id == person.account.id)
        return {row.name: row.id for row in db.session.execute(query)}

    return person.once("plugins", ask)


def _check_plugins(names: list[str], person: Person) -> None:
    known = _plugins_of(person)
    if len(set(names)) != len(names):
        raise Refused("plugins", "A plugin is named twice.")
    if len(names) > plugin_attaching.MOST_PLUGINS:
        raise Refused("plugins", f"A client uses at most {plugin_attaching.MOST_PLUGINS} plugins.")
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            told = f" Did you mean {near[0]}?" if near else ""
            raise Refused("plugins", f"The account has no plugin named {name[:100]}.{told}")


def domain_named(name: str, person: Person) -> LLMClientCustomDomain | None:
    """The account's domain, None for none. Raises Refused where the account has it not."""
    if not name:
        return None
    found = db.session.scalar(
        select(LLMClientCustomDomain).where(
            LLMClientCustomDomain.account_id == person.account.id,
            LLMClientCustomDomain.domain_name == name,
            LLMClientCustomDomain.state != LLMClientCustomDomain.States.REMOVING,
        )
    )
    if found is None:
        raise Refused("customDomain", f"The account has no custom domain {name[:253]}.")
    return found


def set_plugins(llm_client: LLMClient, names: list[str], person: Person) -> None:
    """Exactly these plugins, in this order; the caller takes the revision."""
    numbers = _plugins_of(person)
    revisions.set_plugins(llm_client, [numbers[name] for name in names if name in numbers])


def remarks(row: LLMClient | None, given: Values, changed: set[str]) -> list[str]:
    """What follows from the change that the difference does not show."""
    told = []
    if given.get("deployed") and "deployed" in changed and (row is None or row.is_public):
        told.append(PUBLIC)
    is_edited = bool(changed - {"deployed", "allowedOrigins", "customDomain", "usesBareDomain"})
    if row is not None and row.deployed and is_edited:
        told.append(NOT_PUBLISHED)
    return told


def store(row: LLMClient, values: Values, changed: set[str], person: Person) -> None:
    """The verbs of the tabs "Embed" and "Domain" and of the page of the deployment."""
    if "allowedOrigins" in changed:
        _store_origins(row, values["allowedOrigins"], person)
    if changed & {"customDomain", "usesBareDomain"}:
        _store_domain(row, values, person)
    if "deployed" in changed:
        kinds = Deployment.Kinds
        kind = kinds.DEPLOY if values["deployed"] else kinds.UNDEPLOY
        begin(row, kind, person.now, person.user)
        audit.record(person.actor, f"{kind.value}ed", row)


def _store_origins(row: LLMClient, wanted: list[str], person: Person) -> None:
    before: dict[str, Any] = {"allowed_origins": list(row.allowed_origins)}
    row.allowed_origins = wanted
    told = {"allowed_origins": wanted}
    audit.record(person.actor, "allowed_origins_changed", row, before=before, after=told)


def _store_domain(row: LLMClient, values: Values, person: Person) -> None:
    domain, present = domain_named(values["customDomain"], person), row.custom_domain
    before = {"custom_domain": present.domain_name if present else None}
    try:
        run = (
            custom.take_off_domain(row, person.now, person.user)
            if domain is None
            else custom.put_on_domain(
                row, domain, person.now, person.user, uses_bare_domain=values["usesBareDomain"]
            )
        )
    except PortalError as error:
        raise Refused("customDomain", error.public_message) from error
    if run is not None:
        ring_for(run, person.now)
    for one in {present, domain} - {None}:
        if one is domain:
            claims.watch(one, person.now)
        needed.show(one, person.now)
    after = {"custom_domain": domain.domain_name if domain else None}
    action = "custom_domain_attached" if domain else "custom_domain_detached"
    audit.record(person.actor, action, row, before=before, after=after)
