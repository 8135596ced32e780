"""The few verbs of the Kubernetes API that we need, by plain HTTP: apply, read, delete."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from portal.errors import AdapterError
from portal.issuer_settings import KubernetesSettings

FIELD_MANAGER = "portal"
APPLY = "application/apply-patch+yaml"  # JSON is YAML
SECONDS = 8.0
Manifest = dict[str, Any]
# Where each kind of object lives: (API path, plural)
KINDS = {
    "Ingress": ("apis/networking.k8s.io/v1", "ingresses"),
    "Certificate": ("apis/cert-manager.io/v1", "certificates"),
    "Secret": ("api/v1", "secrets"),
}
SENTENCES = {
    401: ("The cluster does not accept the portal’s token.", "kubernetes_token", False),
    403: ("The portal may not do this in the cluster.", "kubernetes_forbidden", False),
    404: ("The cluster has no cert-manager, or not this namespace.", "no_cert_manager", False),
    409: ("Somebody else manages this object in the cluster.", "not_ours", True),
    422: ("The cluster refuses the object.", "kubernetes_invalid", True),
}


class KubernetesApi:
    """One namespace of one cluster. The token is read anew each time: the cluster replaces it."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self._settings = settings
        ca_file = settings.ca_file if Path(settings.ca_file).is_file() else None
        timeout = urllib3.Timeout(total=SECONDS)
        self._pool = urllib3.PoolManager(ca_certs=ca_file, timeout=timeout, retries=False)

    def apply(self, manifest: Manifest) -> Manifest:
        """Server-side apply under our field manager; what somebody else manages is left alone."""
        path = self._path(manifest["kind"], manifest["metadata"]["name"])
        query = f"?fieldManager={FIELD_MANAGER}"
        return self._call("PATCH", path + query, json.dumps(manifest).encode(), APPLY)

    def read(self, kind: str, name: str) -> Manifest | None:
        """The object as it is now; None where there is none."""
        return self._unless_gone("GET", kind, name)

    def delete(self, kind: str, name: str) -> None:
        """Remove it; one that is not there is removed."""
        self._unless_gone("DELETE", kind, name)

    def _unless_gone(self, method: str, kind: str, name: str) -> Manifest | None:
        try:
            return self._call(method, self._path(kind, name))
        except AdapterError as error:
            if error.reason == "no_cert_manager":
                return None
            raise

    def _path(self, kind: str, name: str) -> str:
        api, plural = KINDS[kind]
        return f"/{api}/namespaces/{self._settings.namespace}/{plural}/{quote(name)}"

    def _call(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> Manifest:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token()}"}
        if content_type:
            headers["Content-Type"] = content_type
        try:
            answer = self._pool.request(
                method, self._settings.url.rstrip("/") + path, body=body, headers=headers
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreachable(f"{type(error).__name__}: {error}") from error
        if answer.status >= 300:
            raise _refused(answer.status, answer.data)
        return _parsed(answer.data)

    def _token(self) -> str:
        try:
            return Path(self._settings.token_file).read_text().strip()
        except OSError as error:
            raise AdapterError(
                "The portal’s token for the cluster cannot be read.",
                reason="kubernetes_token",
                detail=f"{self._settings.token_file}: {error.strerror}",
            ) from error


def _parsed(data: bytes) -> Manifest:
    try:
        found = json.loads(data)
    except ValueError as error:
        raise _unreachable("an answer that is not JSON") from error
    return found if isinstance(found, dict) else {}


def _refused(status: int, data: bytes) -> AdapterError:
    """With the words of the API's Status object."""
    try:
        words = str(json.loads(data).get("message", ""))
    except (ValueError, AttributeError):
        words = ""
    if status not in SENTENCES:
        return _unreachable(f"status {status}: {words}")
    sentence, reason, permanent = SENTENCES[status]
    return AdapterError(sentence, reason=reason, permanent=permanent, detail=words[:1000])


def _unreachable(detail: str) -> AdapterError:
    return AdapterError(
        "The cluster does not answer at the moment.", reason="kubernetes_away", detail=detail
    )
