"""All kinds, in the order in which one needs the other."""

from __future__ import annotations

from portal.manifests.clients import ClientKind
from portal.manifests.kind import Kind

_ORDERED: tuple[Kind, ...] = (ClientKind(),)
KINDS: dict[str, Kind] = {kind.name: kind for kind in _ORDERED}
ORDER: dict[str, int] = {name: number for number, name in enumerate(KINDS)}
