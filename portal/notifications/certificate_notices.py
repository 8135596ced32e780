"""Telling that a certificate cannot be got or renewed, once for each row of failures."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from portal.certificates import store
from portal.certificates.models import CertificateOrder
from portal.certificates.signals import certificate_troubled
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News, tell

# The first two refusals are a minute apart, and often the next try heals them.
REFUSALS = 3
# Of an authority that cannot be asked: three hours of attempts.
ATTEMPTS = 8


@certificate_troubled.connect
def tell_of_trouble(sender: Any, *, order: CertificateOrder, now: datetime) -> None:
    """In the transaction that stores the failure."""
    is_the_time = order.failures == REFUSALS or (order.failures == 0 and order.attempt == ATTEMPTS)
    is_wanted = store.is_wanted(order.name) or store.newest(order.name) is None
    if is_the_time and order.account_id is not None and is_wanted:
        tell(order.account_id, _news(order, now), now)


def _news(order: CertificateOrder, now: datetime) -> News:
    is_valid = store.good_of_name(order.name, now) is not None
    again = order.next_attempt_at
    sentences = [
        order.message or "The certificate authority did not say why.",
        f"The next attempt is on {again:%d %B %Y, %H:%M} UTC." if again else "",
        "Visitors notice nothing as long as the present certificate is valid." if is_valid else "",
    ]
    what = "cannot be got" if store.newest(order.name) is None else "cannot be renewed"
    return News(
        kind=Kind.CERTIFICATE_FAILING,
        level=Level.LOOK if is_valid else Level.BAD,
        subject=f"The certificate of {order.name} {what}",
        text="\n".join(sentence for sentence in sentences if sentence),
        path="/",
        about=order,
        name=order.name,
        damping_key=f"certificate/{order.id}",
    )
