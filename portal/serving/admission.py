"""Whether a prompt is let through now, and what it may use: rates, ceilings, budgets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.formatting import plural
from portal.limits import defaults
from portal.limits.budgets import DAY, FULL_PERCENT, Amount, Budget
from portal.limits.rates import Ceiling, Denied, Rate
from portal.limits.wishes import Settlement, Wish
from portal.llm_providers import ChatRequest
from portal.request_history.recording import NotRecorded, Recorder
from portal.serving.endpoints import Endpoint
from portal.serving.questions import NOT_KEPT, NotAnswered, Question, Refusal
from portal.serving.served import Served

TOO_FAST = "That was too many messages in a short time. Send the next one in {seconds} s."
TOO_MANY = "The assistant is talking to as many people as it can. Try again in a moment."
DAY_USED = "The assistant has reached its limit for today. It answers again tomorrow."
MONTH_USED = "The assistant has reached its limit for this month."
KEY_USED = "The budget of this API key is used up."
BYTES_PER_TOKEN = 4


def rates_of(served: Served, question: Question) -> list[Rate]:
    """What may be asked a minute; people of the account in the sandbox are not counted."""
    if served.is_rehearsal:
        return []
    limits, key = served.limits, question.api_key_id
    if key is not None:
        return [Rate(f"k:{key}", limits.of_key(key).rate)]
    return [
        Rate(f"s:{question.session_key[:32]}", limits.session_rate),
        Rate(f"a:{served.client_id}:{question.visitor_hash[:24]}", limits.address_rate),
    ]


def ceilings_of(served: Served) -> list[Ceiling]:
    """What may be under way at once: of the client, and of the whole account."""
    return [
        Ceiling(f"c:{served.client_id}", served.limits.concurrent),
        Ceiling(f"o:{served.account_id}", served.limits.account_concurrent),
    ]


def refusal_of(denied: Denied) -> Refusal:
    """In the visitor's words; programs get 429 and when to come back."""
    seconds = max(1, int(denied.wait_seconds + 0.999))
    if isinstance(denied.by, Ceiling):
        return Refusal(TOO_MANY, 429, "too_many_at_once", retry_after_seconds=seconds)
    sentence = TOO_FAST.format(seconds=seconds)
    return Refusal(sentence, 429, "rate_limit", retry_after_seconds=seconds)


def budgets_of(served: Served, key_id: int | None, now: datetime) -> tuple[Budget, ...]:
    """All budgets that a prompt counts for; the sandbox counts for the account only."""
    limits = served.limits
    if served.is_rehearsal:
        return limits.account_budgets
    client = limits.budgets if served.needs_key(now) else limits.public_budgets
    return (*client, *limits.of_key(key_id).budgets, *limits.account_budgets)


class Purse:
    """The reservations of one prompt; `settled` tells the writer what was used of them."""

    def __init__(self, served: Served, question: Question, recorder: Recorder) -> None:
        self._served = served
        self._question = question
        self._recorder = recorder
        self._budgets = budgets_of(served, question.api_key_id, question.asked_at)
        self._granted: list[Wish] = []
        self.is_cheaper = False

    def reserve(self, request: ChatRequest, endpoint: Endpoint) -> Endpoint:
        """Reserve one call of the model; the endpoint to ask, a cheaper one when money is short.

        Raises NotAnswered when the budget is reached.
        """
        if not self._budgets:
            return endpoint
        cheaper = self._served.cheaper
        if self.is_cheaper and cheaper is not None:
            endpoint = cheaper
        wish = self._wished(request, endpoint)
        if wish.reached is not None and cheaper is not None and not self.is_cheaper:
            self.is_cheaper, endpoint = True, cheaper
            wish = self._wished(request, endpoint)
        if wish.reached is not None:
            raise NotAnswered(_reached(self._served, wish.reached), _detail(wish.reached))
        self._granted.append(wish)
        return endpoint

    def _wished(self, request: ChatRequest, endpoint: Endpoint) -> Wish:
        number = len(self._granted) * 2 + self.is_cheaper
        percent = defaults.CHEAPER_PERCENT if self.is_cheaper else FULL_PERCENT
        wish = Wish(
            request_id=f"{self._question.request_id}-{number}",
            account_id=self._served.account_id,
            timezone=self._served.timezone,
            budgets=self._budgets,
            amount=endpoint.amount(tokens_in_of(request), request.max_tokens or 0),
            asked_at=self._question.asked_at,
            percent=percent,
        )
        try:
            self._recorder.reserve(wish)
        except NotRecorded as error:
            raise NotAnswered(Refusal(NOT_KEPT, 503, "not_recorded")) from error
        return wish

    def settled(self, used: Amount) -> Settlement | None:
        """For the row of the history; None where nothing was reserved."""
        return Settlement(tuple(self._granted), used) if self._granted else None


def tokens_in_of(request: ChatRequest) -> int:
    """An estimate of what the provider will count: a token for four bytes, rounded up."""
    total = sum(_tokens_of(message.get("content")) for message in request.messages)
    tools = request.extra.get("tools")
    return total + (_tokens_of(str(tools)) if tools else 0)


def _tokens_of(content: Any) -> int:
    text = content if isinstance(content, str) else "" if content is None else str(content)
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def _reached(served: Served, budget: Budget) -> Refusal:
    """The client's own words where its owner gave any."""
    if budget.kind == "key":
        words = KEY_USED
    else:
        words = served.limits.reached_words or (DAY_USED if budget.period == DAY else MONTH_USED)
    return Refusal(words, 429, "budget_reached", permanent=True)


def _detail(budget: Budget) -> str:
    limits = [
        plural(budget.tokens, "token", "tokens") if budget.tokens is not None else "",
        f"{budget.micros / 1_000_000:,.2f} in money" if budget.micros is not None else "",
    ]
    told = " and ".join(limit for limit in limits if limit)
    return f"The budget of this {budget.kind} for the {budget.period} ({told}) is reached."
