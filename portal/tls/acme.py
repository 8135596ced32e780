"""Certificates from any authority that speaks ACME (RFC 8555), in short steps.

A step reads where the order stands, does what is next and returns; it never waits. Killed between
two steps, or repeated, nothing is lost: the authority's own view of the order decides.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from acme import errors, messages
from cryptography import x509

from portal.errors import AdapterError
from portal.issuer_settings import AcmeSettings
from portal.settings import Settings
from portal.tls import AuthorityAccounts, Issuance, NotOrdered, Renewal, acme_order, acme_words
from portal.tls.acme_answers import (
    challenges_of,
    continues,
    in_seconds,
    order_gone,
    pause,
    refused,
    waiting,
)
from portal.tls.acme_client import AcmeClient, plain_errors
from portal.tls.authority import key_text, new_key
from portal.tls.roots import roots_in

STEPS_AT_ONCE = 4
STUCK_AFTER = timedelta(hours=1)
UNSPECIFIED = 0  # reason code of a revocation, RFC 5280 section 5.3.1
State = dict[str, Any]


class AcmeIssuer:
    """One account at one directory; its key is kept by `accounts`."""

    def __init__(
        self, settings: AcmeSettings, accounts: AuthorityAccounts, roots_file: str = ""
    ) -> None:
        self._settings = settings
        self._roots_file = roots_file
        self._accounts = accounts
        self._acme: AcmeClient | None = None

    @classmethod
    def from_settings(cls, settings: Settings, accounts: AuthorityAccounts) -> Self:
        """Asks nobody before the first certificate is wanted."""
        return cls(settings.acme, accounts, settings.certificate_roots_file)

    def request(self, names: tuple[str, ...], now: datetime, state: State) -> Issuance:
        """Order, tell, finalize or download: whatever is next, and what follows at once."""
        with plain_errors():
            try:
                acme = self._client() if state else self._before_an_order()
                if not state:
                    return self._begin(acme, names, now)
                if not continues(state, names, acme):
                    return order_gone()
                return self._go_on(acme, names, now, state)
            except messages.Error as problem:
                return self._refusal(problem, names, now, state)

    def revoke(self, chain_pem: str, now: datetime) -> None:
        """Tell the authority; what is revoked or expired is left."""
        leaf = x509.load_pem_x509_certificate(chain_pem.encode("ascii"))
        if leaf.not_valid_after_utc <= now:
            return
        with plain_errors():
            try:
                self._client().v2.revoke(leaf, UNSPECIFIED)
            except errors.ConflictError:
                return
            except messages.Error as problem:
                if problem.code == "alreadyRevoked":
                    return
                raise _not_revoked(problem) from problem

    def release(self, names: tuple[str, ...], now: datetime) -> None:
        """Nothing is kept by the name."""

    def renewal(self, chain_pem: str, now: datetime) -> Renewal:
        """The authority's suggestion (RFC 9773), a moment at random in its window."""
        with plain_errors():
            try:
                at, again = self._client().v2.renewal_time(chain_pem.encode("ascii"))
            except errors.ARIError as error:
                return Renewal(None, error.retry_after.astimezone(UTC))
        return Renewal(at and at.astimezone(UTC), again.astimezone(UTC))

    def roots_pem(self) -> str | None:
        """The roots of a private authority; None: those of the machine."""
        return roots_in(self._roots_file)

    def _client(self) -> AcmeClient:
        if self._acme is None:
            self._acme = AcmeClient(self._settings, self._accounts)
        return self._acme

    def _before_an_order(self) -> AcmeClient:
        """The authority answers and knows us. Raises NotOrdered."""
        try:
            with plain_errors():
                acme = self._client()
                acme.greet()
        except AdapterError as error:
            raise NotOrdered.because_of(error) from error
        return acme

    def _begin(self, acme: AcmeClient, names: tuple[str, ...], now: datetime) -> Issuance:
        """Order; one whose proofs cannot be read is counted and left alone."""
        order, authorizations = acme_order.new_order(acme, names)
        state: State = {
            "order": order,
            "authorizations": authorizations,
            "names": list(names),
            "key": key_text(new_key()),
            "account": acme.account_uri,
            "since": now.isoformat(),
        }
        try:
            asked = self._asked(acme, state)
        except messages.Error as problem:
            return replace(self._refusal(problem, names, now, {}), has_ordered=True)
        message = f"Ordered; the certificate authority wants to see a proof for {names[0]}."
        return waiting(message, state, asked, has_ordered=True)

    def _asked(self, acme: AcmeClient, state: State) -> list[acme_order.Asked]:
        preferred = self._settings.challenge
        urls = state["authorizations"]
        return [acme_order.asked_at(acme, url, preferred) for url in urls]

    def _go_on(
        self, acme: AcmeClient, names: tuple[str, ...], now: datetime, state: State
    ) -> Issuance:
        order = acme_order.order_at(acme, state["order"])
        told = False
        for _ in range(STEPS_AT_ONCE):
            status = order["status"]
            if status == "valid":
                return self._downloaded(acme, names, order, state)
            if status == "invalid":
                return self._ended(acme, names, order, state)
            if status == "ready":
                order = acme_order.finalize(acme, order["finalize"], names, state["key"])
                if order["status"] == "processing":  # a moment later it is often done
                    order = acme_order.order_at(acme, state["order"])
            elif status == "pending" and not told:
                told = True
                failure = self._answer(acme, state)
                if failure is not None:
                    return failure
                order = acme_order.order_at(acme, state["order"])
            else:
                break
        return self._still(acme, names, now, state, order["status"])

    def _answer(self, acme: AcmeClient, state: State) -> Issuance | None:
        """Tell the authority of each proof that it has not looked at yet."""
        for asked in self._asked(acme, state):
            if asked.status == "pending" and asked.challenge is None:
                sentence = "The certificate authority offers no proof that we could give."
                return refused(acme_words.Words("no_challenge", sentence), asked.host)
            if asked.status == "pending" and asked.challenge_status == "pending":
                acme_order.tell(acme, asked)
        return None

    def _still(
        self, acme: AcmeClient, names: tuple[str, ...], now: datetime, state: State, status: str
    ) -> Issuance:
        asked_for = acme_words.seconds_to_wait(acme.network.retry_after, "", now)
        age = now - datetime.fromisoformat(state["since"])
        if age > STUCK_AFTER:
            words = acme_words.Words(
                "ca_stuck", "The certificate authority left the order lying for an hour."
            )
            return refused(words, f"order {status}")
        doing = {"pending": "is checking", "processing": "is signing the certificate of"}
        message = f"The certificate authority {doing.get(status, 'has')} {names[0]}."
        seconds = asked_for or pause(age)
        return in_seconds(waiting(message, state, self._asked(acme, state)), min(seconds, 600))

    def _downloaded(
        self, acme: AcmeClient, names: tuple[str, ...], order: State, state: State
    ) -> Issuance:
        chain_pem = acme_order.chain_at(acme, order["certificate"])
        leaf = x509.load_pem_x509_certificate(chain_pem.encode("ascii"))
        return Issuance(
            "issued",
            f"Certificate issued for {', '.join(names)}.",
            chain_pem=chain_pem,
            key_pem=state["key"],
            issuer=leaf.issuer.rfc4514_string(),
            serial=format(leaf.serial_number, "x"),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            challenges=challenges_of(self._asked(acme, state)),
        )

    def _ended(
        self, acme: AcmeClient, names: tuple[str, ...], order: State, state: State
    ) -> Issuance:
        """An order that became invalid: the challenge that failed says why, else the order."""
        asked = self._asked(acme, state)
        for one in asked:
            if one.status == "invalid":
                words = acme_words.of_challenge(one.kind, one.problem, one.host)
                return refused(words, acme_words.own_words(one.problem), asked)
        problem = messages.Error.from_json(order["error"]) if order.get("error") else None
        words = acme_words.of_order(problem, names[0])
        return refused(words, acme_words.own_words(problem), asked)

    def _refusal(
        self, problem: messages.Error, names: tuple[str, ...], now: datetime, state: State
    ) -> Issuance:
        if problem.code in ("serverInternal", "badNonce"):
            raise problem
        detail = acme_words.own_words(problem)
        if problem.code == "accountDoesNotExist" and self._acme is not None:
            self._acme.forget_account()
            self._acme = None
            message = "The certificate authority has forgotten the portal’s account; a new one."
            return Issuance("waiting", message, acme_words.ACCOUNT, 1, detail=detail)
        if state and problem.code == "malformed":
            return order_gone(detail)
        words = acme_words.of_order(problem, names[0])
        retry_after = self._acme.network.retry_after if self._acme is not None else ""
        seconds = acme_words.seconds_to_wait(retry_after, problem.detail or "", now)
        if words.reason != acme_words.RATE_LIMIT:
            return in_seconds(refused(words, detail), seconds)
        seconds = seconds or acme_words.RATE_LIMIT_SECONDS
        message = f"{words.sentence[:-1]} {acme_words.until(now, seconds)}."
        return Issuance("waiting", message, words.reason, seconds, state=state, detail=detail)


def _not_revoked(problem: messages.Error) -> AdapterError:
    return AdapterError(
        "The certificate authority did not revoke the certificate.",
        reason="ca_refused",
        detail=acme_words.own_words(problem),
    )
