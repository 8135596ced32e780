"""Flask's extensions, one of each: the token of forms, and who is signed in."""

from __future__ import annotations

from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()


login_manager = LoginManager()
