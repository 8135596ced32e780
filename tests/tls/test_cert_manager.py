"""cert-manager's objects, applied to an API server that refuses what the real one refuses."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from portal.errors import AdapterError
from portal.issuer_settings import KubernetesSettings
from portal.tls import manifests
from portal.tls.cert_manager import CertManagerIssuer

pytestmark = pytest.mark.engine_independent

HOST = "chat.example.com"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
TOKEN = "cluster-token"


class ApiServer:
    """Server-side apply with field managers, generations, and Status objects for refusals."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.managers: dict[str, str] = {}
        self.log: list[tuple[str, str]] = []
        self.refusal: tuple[int, str] | None = None
        self.has_cert_manager = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                outer.log.append((self.command, urlparse(self.path).path))
                status, found = outer.answer(self.command, self.path, self.headers, body)
                data = json.dumps(found).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PATCH = do_DELETE = answer

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> tuple[int, Any]:
        parsed = urlparse(url)
        query, path = parse_qs(parsed.query), parsed.path
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return failure(401, "Unauthorized")
        if self.refusal:
            return failure(*self.refusal)
        if "cert-manager.io" in path and not self.has_cert_manager:
            return failure(404, "the server could not find the requested resource")
        if method == "PATCH":
            return self.applied(path, query, headers["Content-Type"], json.loads(body))
        if path not in self.objects:
            return failure(404, f"{path.rpartition('/')[2]} not found")
        if method == "DELETE":
            self.managers.pop(path)
            return 200, {"kind": "Status", "status": "Success", "was": self.objects.pop(path)}
        return 200, self.objects[path]

    def applied(
        self, path: str, query: dict[str, list[str]], kind: str, sent: dict[str, Any]
    ) -> tuple[int, Any]:
        if kind != "application/apply-patch+yaml" or "fieldManager" not in query:
            return failure(415, "apply needs its media type and a field manager")
        problem = schema_problem(sent, path)
        if problem:
            return failure(422, problem)
        manager, known = query["fieldManager"][0], self.managers.get(path)
        if known not in (None, manager) and query.get("force") != ["true"]:
            return failure(409, f'Apply failed with 1 conflict: conflict with "{known}"')
        before = self.objects.get(path, {})
        stored = copy.deepcopy(sent)
        changed = before.get("spec") != sent["spec"]
        generation = before.get("metadata", {}).get("generation", 0) + changed
        stored["metadata"]["generation"] = generation
        stored["status"] = before.get("status", {})
        self.objects[path], self.managers[path] = stored, manager
        return (200 if before else 201), stored

    def the(self, plural: str) -> dict[str, Any]:
        [found] = [one for path, one in self.objects.items() if f"/{plural}/" in path]
        return found

    def say(self, **condition: Any) -> None:
        """What cert-manager writes into the certificate's status."""
        self.the("certificates")["status"] = {"conditions": [condition]}


def failure(code: int, message: str) -> tuple[int, Any]:
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message}


def schema_problem(sent: dict[str, Any], path: str) -> str:
    """What the API's own validation says of the parts that we use."""
    metadata = sent.get("metadata", {})
    if not path.endswith(
        f"/namespaces/{metadata.get('namespace')}/" + "/".join(path.split("/")[-2:])
    ):
        return "the namespace of the object does not match the request"
    if path.rpartition("/")[2] != metadata.get("name"):
        return "the name of the object does not match the name on the URL"
    if sent["kind"] == "Ingress":
        if set(sent["spec"]) - {"ingressClassName", "tls", "rules", "defaultBackend"}:
            return "unknown field in spec"
        for rule in sent["spec"]["rules"]:
            for one in rule["http"]["paths"]:
                if one.get("pathType") not in ("Exact", "Prefix", "ImplementationSpecific"):
                    return "spec.rules[0].http.paths[0].pathType: Required value"
                if not isinstance(one["backend"]["service"]["port"]["number"], int):
                    return "port.number: must be an integer"
        return ""
    spec = sent["spec"]
    wanted = {"secretName", "dnsNames", "issuerRef"}
    return "" if wanted <= set(spec) else f"spec: Required value {wanted - set(spec)}"


@pytest.fixture
def cluster() -> Iterator[ApiServer]:
    found = ApiServer()
    yield found
    found.stop()


@pytest.fixture
def settings(cluster: ApiServer, tmp_path: Path) -> KubernetesSettings:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    return KubernetesSettings(url=cluster.url, token_file=str(tmp_path / "token"), ca_file="")


@pytest.fixture
def issuer(settings: KubernetesSettings) -> CertManagerIssuer:
    return CertManagerIssuer(settings)


def request(issuer: CertManagerIssuer, *names: str) -> Any:
    return issuer.request(names or (HOST,), NOW, {})


def test_waits_until_cert_manager_says_ready(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    first = request(issuer)
    assert (first.status, first.retry_in_seconds) == ("waiting", 5)

    cluster.say(type="Ready", status="False", reason="DoesNotExist", message="Secret is missing")
    again = request(issuer)
    assert (again.status, again.detail, again.reason) == ("waiting", "Secret is missing", "")

    cluster.say(type="Ready", status="True", reason="Ready", observedGeneration=1)
    ready = request(issuer)
    assert (ready.status, ready.chain_pem) == ("elsewhere", "")
    assert HOST in ready.message


def test_ready_of_an_older_generation_does_not_count(
    cluster: ApiServer, issuer: CertManagerIssuer
) -> None:
    request(issuer)
    cluster.say(type="Ready", status="True", observedGeneration=0)
    assert request(issuer).status == "waiting"


def test_what_cert_manager_says_of_a_failure_is_kept(
    cluster: ApiServer, issuer: CertManagerIssuer
) -> None:
    request(issuer)
    said = "The certificate request has failed to complete: acme: rateLimited"
    cluster.say(type="Issuing", status="False", reason="Failed", message=said)
    found = request(issuer)
    assert (found.status, found.reason, found.detail) == ("waiting", "cert_manager_failed", said)


def test_the_objects_fit_together(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    request(issuer)
    ingress, certificate = cluster.the("ingresses"), cluster.the("certificates")
    [tls] = ingress["spec"]["tls"]
    assert tls == {"hosts": [HOST], "secretName": certificate["spec"]["secretName"]}
    assert certificate["spec"]["dnsNames"] == [HOST]
    assert ingress["spec"]["rules"][0]["host"] == HOST
    assert set(cluster.managers.values()) == {"portal"}


def test_twice_changes_nothing(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    request(issuer)
    before = copy.deepcopy(cluster.objects)
    request(issuer)
    assert cluster.objects == before


def test_released_objects_are_gone_whatever_is_left(
    cluster: ApiServer, issuer: CertManagerIssuer
) -> None:
    request(issuer)
    for _ in range(2):
        issuer.release((HOST,), NOW)
    assert cluster.objects == {}
    deleted = [path.split("/")[-2] for method, path in cluster.log if method == "DELETE"]
    assert deleted == ["ingresses", "certificates", "secrets"] * 2


@pytest.mark.parametrize(
    ("refusal", "reason", "permanent"),
    [
        ((403, "ingresses is forbidden"), "kubernetes_forbidden", False),
        ((422, "spec: Required value"), "kubernetes_invalid", True),
        ((500, "etcd is down"), "kubernetes_away", False),
        ((503, "overloaded"), "kubernetes_away", False),
    ],
)
def test_a_refusal_is_told_in_the_clusters_words(
    cluster: ApiServer, issuer: CertManagerIssuer,
    refusal: tuple[int, str], reason: str, permanent: bool,
) -> None:  # fmt: skip
    cluster.refusal = refusal
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert (caught.value.reason, caught.value.permanent) == (reason, permanent)
    assert refusal[1] in caught.value.detail


def test_somebody_elses_object_is_left_alone(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    request(issuer)
    before = copy.deepcopy(cluster.objects)
    for path in cluster.managers:
        cluster.managers[path] = "helm"
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert (caught.value.reason, caught.value.permanent) == ("not_ours", True)
    assert "helm" in caught.value.detail
    assert cluster.objects == before


def test_a_cluster_without_cert_manager(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    cluster.has_cert_manager = False
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert caught.value.reason == "no_cert_manager"
    issuer.release((HOST,), NOW)


def test_a_new_token_is_taken_without_a_restart(
    cluster: ApiServer, settings: KubernetesSettings, issuer: CertManagerIssuer
) -> None:
    Path(settings.token_file).write_text("expired")
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert caught.value.reason == "kubernetes_token"
    Path(settings.token_file).write_text(TOKEN)
    assert request(issuer).status == "waiting"
    Path(settings.token_file).unlink()
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert caught.value.reason == "kubernetes_token"


def test_a_cluster_that_is_away(cluster: ApiServer, issuer: CertManagerIssuer) -> None:
    cluster.stop()
    with pytest.raises(AdapterError) as caught:
        request(issuer)
    assert (caught.value.reason, caught.value.permanent) == ("kubernetes_away", False)


@pytest.mark.parametrize(
    "host", [HOST, "*.a.example.com", ".".join(["x" * 60] * 4), "a" * 63 + ".com"]
)
def test_names_of_objects_are_names_in_kubernetes(host: str) -> None:
    names = {manifests.object_name(host), manifests.secret_name(host)}
    assert len(names) == 2
    for name in names:
        assert len(name) <= 253
        assert all(c.isalnum() or c in "-." for c in name)
        assert name[-1].isalnum()


def test_two_long_hosts_do_not_meet() -> None:
    first, second = (".".join(["x" * 60] * 4) + f".{end}" for end in ("de", "fr"))
    assert manifests.object_name(first) != manifests.object_name(second)


def test_kubernetes_own_schemas_accept_the_ingress(settings: KubernetesSettings) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="requirements-kubernetes.txt is not installed (108 MB)"
    )
    manifest = manifests.ingress(HOST, settings)
    validate.validate(manifest, validate.latest_version(), strict=True)
