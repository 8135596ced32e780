"""Commands that need the tables alone: they load no page, no job and nothing of the outside.

What a process loads is most of what an export weighs, since the history is read in small portions.
"""

from __future__ import annotations

import argparse

from flask import Flask

from portal import database
from portal.database import db, utc_now
from portal.history_exports import command as export_command
from portal.settings import Settings


def export_requests(settings: Settings, arguments: argparse.Namespace) -> int:
    """Requests of an account as a file, with the filters of the list."""
    application = Flask("portal", static_folder=None)
    database.init_app(application, settings)
    with application.app_context():
        try:
            return export_command.run(arguments, utc_now())
        finally:
            db.session.remove()
            db.engine.dispose()
