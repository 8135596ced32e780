"""An exchange in the running application, for the views of both planes."""

from __future__ import annotations

from datetime import datetime

from flask import current_app, request

from portal.adapters import current_adapters
from portal.limits import current_limiter
from portal.request_history import current_recorder
from portal.serving.breakers import Breakers
from portal.serving.hang_ups import HangUp
from portal.serving.prompting import Exchange, Means, OpenToolbox
from portal.serving.questions import Question
from portal.serving.served import Served
from portal.serving.toolbox import Toolbox, toolbox_of


def exchange_of(served: Served, question: Question) -> Exchange:
    """A question on its way; the web server lets us see whether its visitor stays."""
    breakers = current_app.extensions.setdefault("portal_breakers", Breakers())
    means = Means(
        adapters=current_adapters(),
        recorder=current_recorder(),
        limiter=current_limiter(),
        breakers=breakers,
        hang_up=HangUp(request.environ.get("gunicorn.socket")),
        open_toolbox=_opener(),
    )
    return Exchange(served, question, means)


def _opener() -> OpenToolbox:
    """A stream is read after its request: the toolbox is opened in a context of its own."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]

    def opened(served: Served, question: str, now: datetime) -> Toolbox:
        with app.app_context():
            return toolbox_of(served, question, now)

    return opened
