"""What may be used how often, how much at once, and for how much money."""

from flask import Flask, current_app
from redis import Redis

from portal.limits.rates import Limiter


def init_app(app: Flask, connection: Redis | None) -> None:
    app.extensions["portal_limiter"] = Limiter(connection)


def current_limiter() -> Limiter:
    limiter: Limiter = current_app.extensions["portal_limiter"]
    return limiter
