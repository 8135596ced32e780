"""A small public key infrastructure, servers that show what they are given, and a portal."""

import contextlib
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from portal.tls.authority import certificate_text, key_text

NOW = datetime.now(UTC)
TOKEN = "internal-token"


class Authority:
    """Signs certificates; a root, or an intermediate of another authority."""

    def __init__(self, name: str, parent: "Authority | None" = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name(name)
        signer = parent or self
        builder = _builder(self.name, signer, self.key.public_key(), (-1000, 3650))
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self.certificate = builder.add_extension(usage, True).sign(signer.key, hashes.SHA256())
        self.pem = certificate_text(self.certificate)

    def issue(
        self, *names: str, days: tuple[int, int] = (-1, 90), tells_issuer: bool = False
    ) -> tuple[str, str]:
        """Certificate and key as PEM, valid in the days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self, key.public_key(), days)
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(alternatives, False)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
        )
        if tells_issuer:
            url = x509.UniformResourceIdentifier("http://ca.invalid/issuer.der")
            access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), False)
        certificate = builder.sign(self.key, hashes.SHA256())
        return certificate_text(certificate), key_text(key)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, signer: Any, key: ec.EllipticCurvePublicKey, days: tuple[int, int]
) -> x509.CertificateBuilder:
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.name)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        .add_extension(issuer_id, False)
    )


@pytest.fixture(scope="session")
def authority() -> type[Authority]:
    return Authority


@pytest.fixture(scope="session")
def root() -> Authority:
    return Authority("Test root")


@pytest.fixture(scope="session")
def intermediate(root: Authority) -> Authority:
    return Authority("Test intermediate", root)


@pytest.fixture
def listen() -> Iterator[Callable[..., int]]:
    """Start a server that does `answer(connection)` for each connection; gives its port."""
    running = []

    def start(answer: Callable[[socket.socket], None]) -> int:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.settimeout(2)
                with contextlib.suppress(OSError):
                    answer(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return server.server_address[1]

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def serve(listen: Callable[..., int], tmp_path: Path) -> Callable[..., int]:
    """Show a chain in a handshake; gives the port."""

    def start(chain_pem: str, key_pem: str, **settings: Any) -> int:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for name, value in settings.items():
            setattr(context, name, value)
        if settings:
            context.set_ciphers("ALL:@SECLEVEL=0")
        file = tmp_path / "served.pem"
        file.write_text(chain_pem + key_pem)
        context.load_cert_chain(file)

        def answer(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True):
                pass

        return listen(answer)

    return start


class Portal:
    """The internal plane and the web process in one: certificates by name, and an echo."""

    def __init__(self) -> None:
        self.certificates: dict[str, str] = {}
        self.asked: list[str] = []
        self.away = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                url = urlparse(self.path)
                if url.path == "/internal/tls":
                    self.certificate(parse_qs(url.query)["server_name"][0])
                elif url.path == "/slow":
                    time.sleep(0.2)
                    self.send(HTTPStatus.OK, b"slow")
                else:
                    self.send(HTTPStatus.OK, f"hello {self.headers['Host']}".encode())

            def do_POST(self) -> None:
                self.send(HTTPStatus.OK, self.rfile.read(int(self.headers["Content-Length"])))

            def certificate(self, name: str) -> None:
                outer.asked.append(name)
                pem = outer.certificates.get(name, "")
                if outer.away:
                    self.send(HTTPStatus.SERVICE_UNAVAILABLE, b"")
                elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                    self.send(HTTPStatus.UNAUTHORIZED, b"")
                else:
                    self.send(HTTPStatus.OK if pem else HTTPStatus.NO_CONTENT, pem.encode())

            def send(self, status: HTTPStatus, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = ("127.0.0.1", self.server.server_port)
        self.certificate_url = f"http://127.0.0.1:{self.server.server_port}/internal/tls"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.socket.close()
        self.thread.join()


@pytest.fixture
def portal() -> Iterator[Portal]:
    portal = Portal()
    yield portal
    portal.stop()
