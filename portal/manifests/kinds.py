"""All kinds, in the order in which one needs the other."""

from __future__ import annotations

from portal.manifests.accounts import AccountKind
from portal.manifests.clients import ClientKind
from portal.manifests.domains import DomainKind
from portal.manifests.history import HistoryKind
from portal.manifests.images import ImageKind
from portal.manifests.keys import KeyKind
from portal.manifests.kind import Kind
from portal.manifests.limits import LimitsKind
from portal.manifests.plugins import PluginKind
from portal.manifests.providers import ProviderKind
from portal.manifests.webhooks import WebhookKind
from portal.manifests.zone_editors import ZoneEditorKind

_ORDERED: tuple[Kind, ...] = (
    AccountKind(),
    HistoryKind(),
    ProviderKind(),
    PluginKind(),
    DomainKind(),
    ZoneEditorKind(),
    ImageKind(),
    ClientKind(),
    KeyKind(),
    LimitsKind(),
    WebhookKind(),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ORDERED}
ORDER: dict[str, int] = {name: number for number, name in enumerate(KINDS)}
