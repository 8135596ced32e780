"""Settings of whoever issues certificates: an ACME authority, or cert-manager in Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ISSUERS = ("local", "acme", "edge", "cert_manager")
CHALLENGES = ("http-01", "dns-01")
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
IN_CLUSTER = "/var/run/secrets/kubernetes.io/serviceaccount"
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\Z")


@dataclass(frozen=True)
class AcmeSettings:
    """Which authority, who we are there, and how it may see that a name is ours.

    `ca_file`: the root that the directory's own HTTPS is checked with, empty for the machine's.
    """

    directory: str = LETS_ENCRYPT
    contact: str = ""
    ca_file: str = ""
    challenge: str = "http-01"
    wildcards: bool = False
    eab_key_id: str = ""
    eab_key: str = field(default="", repr=False)


@dataclass(frozen=True)
class KubernetesSettings:
    """Where the API server is, and what our Ingress objects look like."""

    url: str = "https://kubernetes.default.svc"
    token_file: str = f"{IN_CLUSTER}/token"
    ca_file: str = f"{IN_CLUSTER}/ca.crt"
    namespace: str = "portal"
    cluster_issuer: str = "letsencrypt"
    ingress_class: str = "nginx"
    service: str = "portal"
    service_port: int = 80


def acme_settings(
    environ: Mapping[str, str], secret: str, can_edit_zone: bool, problems: list[str]
) -> AcmeSettings:
    """PORTAL_ACME_*; `secret` is the key of an external account binding, if there is one.

    Unless PORTAL_ACME_WILDCARDS says otherwise, there are wildcards where we edit the zone.
    """
    found = AcmeSettings(
        directory=environ.get("PORTAL_ACME_DIRECTORY") or LETS_ENCRYPT,
        contact=environ.get("PORTAL_ACME_CONTACT", "").removeprefix("mailto:"),
        ca_file=environ.get("PORTAL_ACME_CA_FILE", ""),
        challenge=environ.get("PORTAL_ACME_CHALLENGE") or "http-01",
        wildcards=environ.get("PORTAL_ACME_WILDCARDS") != "no" and can_edit_zone,
        eab_key_id=environ.get("PORTAL_ACME_EAB_KEY_ID", ""),
        eab_key=secret,
    )
    problems += _acme_problems(found)
    return found


def _acme_problems(found: AcmeSettings) -> list[str]:
    problems = []
    if not found.directory.startswith("https://"):
        problems.append("PORTAL_ACME_DIRECTORY must begin with https://.")
    if found.contact and not _EMAIL.match(found.contact):
        problems.append("PORTAL_ACME_CONTACT must be one e-mail address.")
    if found.challenge not in CHALLENGES:
        known = " or ".join(CHALLENGES)
        problems.append(f"PORTAL_ACME_CHALLENGE is {found.challenge!r}; it must be {known}.")
    problems += file_problems("PORTAL_ACME_CA_FILE", found.ca_file)
    if bool(found.eab_key_id) != bool(found.eab_key):
        problems.append("PORTAL_ACME_EAB_KEY_ID and PORTAL_ACME_EAB_KEY belong together.")
    return problems


def file_problems(name: str, path: str) -> list[str]:
    """What is wrong with a setting that may name a file."""
    is_wrong = path and not Path(path).is_file()
    return [f"{name} is {path!r}, which is not a file."] if is_wrong else []


def kubernetes_settings(environ: Mapping[str, str], problems: list[str]) -> KubernetesSettings:
    """PORTAL_KUBERNETES_*; the defaults fit a pod of the cluster."""
    defaults = KubernetesSettings()
    names = (
        "url", "token_file", "ca_file", "namespace", "cluster_issuer", "ingress_class", "service",
    )  # fmt: skip
    texts = {
        name: environ.get(f"PORTAL_KUBERNETES_{name.upper()}") or str(getattr(defaults, name))
        for name in names
    }
    for name in ("namespace", "cluster_issuer", "ingress_class", "service"):
        if not _LABEL.match(texts[name]):
            setting = f"PORTAL_KUBERNETES_{name.upper()}"
            problems.append(f"{setting} is {texts[name]!r}, which is no name in Kubernetes.")
    if not texts["url"].startswith(("https://", "http://")):
        problems.append("PORTAL_KUBERNETES_URL must begin with https:// or http://.")
    port = environ.get("PORTAL_KUBERNETES_SERVICE_PORT") or str(defaults.service_port)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535):
        problems.append(f"PORTAL_KUBERNETES_SERVICE_PORT is {port!r}, which is no port.")
        port = str(defaults.service_port)
    return KubernetesSettings(**texts, service_port=int(port))
