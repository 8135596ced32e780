"""Talking to an ACME directory: patient with nonces, quick to give up, and who we are there."""

import contextlib
import logging
from collections.abc import Iterator
from typing import Any

import requests
from acme import client, errors, messages
from cryptography.hazmat.primitives import serialization
from josepy.errors import Error as JoseError
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from portal import __version__
from portal.errors import AdapterError
from portal.issuer_settings import AcmeSettings
from portal.tls import AuthorityAccount, AuthorityAccounts

logger = logging.getLogger(__name__)
# the library writes all it sends and receives at this level
logging.getLogger("acme.client").setLevel(logging.INFO)

SECONDS = 8
NONCE_TRIES = 12


class PatientNetwork(client.ClientNetwork):
    """Repeats what only a nonce was wrong with; keeps the last Retry-After, which errors lose."""

    retry_after = ""

    def post(self, *args: Any, **kwargs: Any) -> requests.Response:
        """POST signed; a new nonce for each of a few tries (RFC 8555 section 6.5)."""
        for _ in range(NONCE_TRIES - 1):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as problem:
                if problem.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    def _send_request(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super()._send_request(*args, **kwargs)
        self.retry_after = response.headers.get("Retry-After", "")
        if response.status_code >= 500:
            words = response.text[:500]
            raise unavailable(f"status {response.status_code}: {words}")
        return response


class AcmeClient:
    """The account's view of one directory. Raises AdapterError where the authority is away."""

    def __init__(self, settings: AcmeSettings, accounts: AuthorityAccounts) -> None:
        self._settings = settings
        self._accounts = accounts
        known = accounts.account(settings.directory)
        self.key = _jwk(known.key_pem)
        self.network = PatientNetwork(
            self.key,
            alg=ES256,
            verify_ssl=settings.ca_file or True,  # type: ignore[arg-type]
            user_agent=f"portal/{__version__}",
            timeout=SECONDS,
        )
        directory = client.ClientV2.get_directory(settings.directory, self.network)
        self.v2 = client.ClientV2(directory, self.network)
        self.account_uri = known.uri or self._register(known)
        body = messages.Registration()
        self.network.account = messages.RegistrationResource(body=body, uri=self.account_uri)

    def greet(self) -> None:
        """Fetch a nonce, which costs nothing: the authority answers."""
        self.network.head(self.v2.directory["newNonce"])

    def post(self, url: str, payload: Any = None) -> requests.Response:
        """A signed request; without payload the POST that stands for GET."""
        new_nonce = self.v2.directory["newNonce"]
        return self.network.post(url, payload, new_nonce_url=new_nonce)

    def forget_account(self) -> None:
        """The authority does not know us: whoever comes next registers anew."""
        self._accounts.forget(self._settings.directory, self.account_uri)

    def close(self) -> None:
        """Let go of the connections."""
        self.network.session.close()

    def _register(self, known: AuthorityAccount) -> str:
        """Twice with one key is one account: the authority answers where it is."""
        values: dict[str, Any] = {"terms_of_service_agreed": True}
        if self._settings.contact:
            values["email"] = self._settings.contact
        if self._settings.eab_key_id:
            values["external_account_binding"] = messages.ExternalAccountBinding.from_data(
                self.key.public_key(),
                self._settings.eab_key_id,
                self._settings.eab_key,
                self.v2.directory,
            )
        try:
            registration = messages.NewRegistration.from_data(**values)
            uri = str(self.v2.new_account(registration).uri)
        except errors.ConflictError as conflict:
            uri = str(conflict.location)
        self._accounts.keep_uri(self._settings.directory, uri)
        logger.info("the certificate authority knows us as %s", uri)
        return uri


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """What is nobody's refusal becomes an AdapterError; problem documents go through."""
    try:
        yield
    except messages.Error as problem:
        if problem.code in ("serverInternal", "badNonce"):
            raise unavailable(f"{problem.typ}: {problem.detail}") from problem
        raise
    except requests.exceptions.SSLError as error:
        raise AdapterError(
            "The certificate authority’s own HTTPS is not trusted.",
            reason="ca_untrusted",
            detail=str(error),
        ) from error
    except (requests.exceptions.RequestException, OSError) as error:
        raise unavailable(f"{type(error).__name__}: {error}") from error
    except (errors.Error, JoseError, KeyError, ValueError, TypeError) as error:
        raise unavailable(f"an answer that makes no sense: {error}") from error


def unavailable(detail: str) -> AdapterError:
    """The authority cannot be asked now; what it has said stays true."""
    return AdapterError(
        "The certificate authority does not answer at the moment.",
        reason="ca_unavailable",
        detail=detail[:1000],
    )


def _jwk(key_pem: str) -> JWKEC:
    key = serialization.load_pem_private_key(key_pem.encode("ascii"), password=None)
    return JWKEC(key=key)
