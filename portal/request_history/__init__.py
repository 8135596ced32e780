"""What was asked and answered; each process records through one writer."""

from flask import Flask, current_app

from portal.database import db
from portal.request_history.recording import Recorder


def init_app(app: Flask) -> None:
    with app.app_context():
        engine = db.engine
    app.extensions["portal_recorder"] = Recorder(lambda: engine)


def current_recorder() -> Recorder:
    recorder: Recorder = current_app.extensions["portal_recorder"]
    return recorder
