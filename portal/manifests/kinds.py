"""All kinds, in the order in which one needs the other."""

from __future__ import annotations

from portal.manifests.accounts import AccountKind
from portal.manifests.clients import ClientKind
from portal.manifests.domains import DomainKind
from portal.manifests.keys import KeyKind
from portal.manifests.kind import Kind
from portal.manifests.limits import LimitsKind
from portal.manifests.plugins import PluginKind
from portal.manifests.providers import ProviderKind

_ORDERED: tuple[Kind, ...] = (
    AccountKind(),
    ProviderKind(),
    PluginKind(),
    DomainKind(),
    ClientKind(),
    KeyKind(),
    LimitsKind(),
)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ORDERED}
ORDER: dict[str, int] = {name: number for number, name in enumerate(KINDS)}
