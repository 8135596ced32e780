"""The applications for a WSGI server: one for each plane, and `application` for one machine."""

import os

from portal.app import (
    create_admin_app,
    create_api_app,
    create_internal_app,
    create_serving_app,
)
from portal.dispatching import Dispatcher
from portal.settings import Settings

settings = Settings.from_environ(os.environ)
admin = create_admin_app(settings)
serving = create_serving_app(settings)
internal = create_internal_app(settings)
api = create_api_app(settings)
application = Dispatcher(admin, serving, internal, api, settings)
