"""An exchange in the running application, for the views of both planes."""

from __future__ import annotations

from functools import partial

from flask import current_app, request

from portal.adapters import current_adapters
from portal.database import current_settings
from portal.limits import current_limiter
from portal.request_history import current_recorder
from portal.serving.breakers import Breakers
from portal.serving.hang_ups import HangUp
from portal.serving.prompting import Exchange, Means
from portal.serving.questions import Question
from portal.serving.served import Served
from portal.serving.toolbox import toolbox_with


def exchange_of(served: Served, question: Question) -> Exchange:
    """A question on its way; the web server lets us see whether its visitor stays."""
    breakers = current_app.extensions.setdefault("portal_breakers", Breakers())
    adapters, settings = current_adapters(), current_settings()
    means = Means(
        adapters=adapters,
        recorder=current_recorder(),
        limiter=current_limiter(),
        breakers=breakers,
        open_toolbox=partial(toolbox_with, adapters.functions, settings.allow_private_addresses),
        hang_up=HangUp(request.environ.get("gunicorn.socket")),
    )
    return Exchange(served, question, means)
