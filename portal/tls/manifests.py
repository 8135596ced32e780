"""What a host needs in Kubernetes: an Ingress, and a Certificate of cert-manager. Pure."""

import hashlib
from typing import Any

from portal.issuer_settings import KubernetesSettings

LONGEST_NAME = 240
LABELS = {"app.kubernetes.io/managed-by": "portal"}
Manifest = dict[str, Any]


def object_name(host: str) -> str:
    """`portal-chat.example.com`; a long host is cut and told apart by its digest."""
    plain = host.replace("*", "wildcard", 1)
    if len(plain) <= LONGEST_NAME:
        return f"portal-{plain}"
    digest = hashlib.sha256(host.encode()).hexdigest()[:16]
    return f"portal-{plain[: LONGEST_NAME - 20].rstrip('-.')}-{digest}"


def secret_name(host: str) -> str:
    """Where cert-manager puts chain and key, and the ingress controller finds them."""
    return object_name(host) + "-tls"


def certificate(host: str, settings: KubernetesSettings) -> Manifest:
    """A request to cert-manager; it renews by itself."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": _metadata(host, settings),
        "spec": {
            "secretName": secret_name(host),
            "dnsNames": [host],
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
            "issuerRef": {
                "name": settings.cluster_issuer,
                "kind": "ClusterIssuer",
                "group": "cert-manager.io",
            },
        },
    }


def ingress(host: str, settings: KubernetesSettings) -> Manifest:
    """Leads the host to the portal's service, over HTTPS with that certificate."""
    service = {"name": settings.service, "port": {"number": settings.service_port}}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": service}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": _metadata(host, settings),
        "spec": {
            "ingressClassName": settings.ingress_class,
            "tls": [{"hosts": [host], "secretName": secret_name(host)}],
            "rules": [{"host": host, "http": {"paths": [path]}}],
        },
    }


def _metadata(host: str, settings: KubernetesSettings) -> Manifest:
    return {"name": object_name(host), "namespace": settings.namespace, "labels": dict(LABELS)}
