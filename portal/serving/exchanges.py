"""An exchange in the running application, for the views of both planes."""

from __future__ import annotations

from flask import current_app, request

from portal.adapters import current_adapters
from portal.limits import current_limiter
from portal.request_history import current_recorder
from portal.serving.breakers import Breakers
from portal.serving.hang_ups import HangUp
from portal.serving.prompting import Exchange, Means
from portal.serving.questions import Question
from portal.serving.served import Served


def exchange_of(served: Served, question: Question) -> Exchange:
    """A question on its way; the web server lets us see whether its visitor stays."""
    breakers = current_app.extensions.setdefault("portal_breakers", Breakers())
    means = Means(
        adapters=current_adapters(),
        recorder=current_recorder(),
        limiter=current_limiter(),
        breakers=breakers,
        hang_up=HangUp(request.environ.get("gunicorn.socket")),
    )
    return Exchange(served, question, means)
