"""Certificates by cert-manager in Kubernetes: we say what we want, it orders, keeps and renews."""

from datetime import datetime
from typing import Any, Self

from portal.issuer_settings import KubernetesSettings
from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, Renewal, manifests
from portal.tls.kubernetes_api import KubernetesApi, Manifest
from portal.tls.roots import roots_in

LOOK_AGAIN_SECONDS = 5


class CertManagerIssuer:
    """One Ingress and one Certificate for each host, applied under our own field manager."""

    def __init__(self, settings: KubernetesSettings, roots_file: str = "") -> None:
        self._settings = settings
        self._roots_file = roots_file
        self._api = KubernetesApi(settings)

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """Asks nobody before the first certificate is wanted."""
        return cls(settings.kubernetes, settings.certificate_roots_file)

    def request(self, names: tuple[str, ...], now: datetime, state: dict[str, Any]) -> Issuance:
        """Apply both objects, and read whether the certificate is ready. Twice changes nothing."""
        waiting: Issuance | None = None
        for name in names:
            applied = self._api.apply(manifests.certificate(name, self._settings))
            self._api.apply(manifests.ingress(name, self._settings))
            waiting = waiting or _not_ready(name, applied)
        message = f"cert-manager keeps a certificate for {', '.join(names)}."
        return waiting or Issuance("elsewhere", message)

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """We have none to revoke."""

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        """Remove the Ingress first, so that nothing is served, then the rest."""
        for name in names:
            for kind in ("Ingress", "Certificate"):
                self._api.delete(kind, manifests.object_name(name))
            self._api.delete("Secret", manifests.secret_name(name))

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        """cert-manager renews by itself."""
        return Renewal()

    def roots_pem(self) -> str | None:
        """The roots of a private authority; None: those of the machine."""
        return roots_in(self._roots_file)


def _not_ready(name: str, certificate: Manifest) -> Issuance | None:
    """What cert-manager says of a certificate that is not ready; None for one that is."""
    status = certificate.get("status", {})
    conditions = {one.get("type"): one for one in status.get("conditions", ())}
    ready = conditions.get("Ready", {})
    generation = certificate.get("metadata", {}).get("generation", 0)
    if ready.get("status") == "True" and ready.get("observedGeneration", generation) >= generation:
        return None
    issuing = conditions.get("Issuing", {})
    words = [str(one["message"]) for one in (issuing, ready) if one.get("message")]
    has_failed = issuing.get("reason") == "Failed" or bool(status.get("failedIssuanceAttempts"))
    doing = "could not get" if has_failed else "is getting"
    return Issuance(
        "waiting",
        f"cert-manager {doing} a certificate for {name}.",
        "cert_manager_failed" if has_failed else "",
        LOOK_AGAIN_SECONDS if not has_failed else 60,
        detail="\n".join(words),
    )
