"""What every page shares: who may use a route, sign-in, CSRF, headers, error pages, filters."""

from portal.web.answers import (
    ADMIN_POLICY,
    STATIC,
    NoSession,
    add_headers,
    file_answer,
    forget_in_browser,
    not_modified,
)
from portal.web.asking import FormActor, myself, safe_next, said, zone
from portal.web.before_requests import check_permission, prepare_request, refuse_foreign_forms
from portal.web.error_pages import DATABASE_AWAY, ERRORS, error_page, install_error_pages
from portal.web.extensions import csrf, login_manager
from portal.web.filters import install_filters
from portal.web.parts import has_part
from portal.web.permissions import (
    ADMIN,
    ANYBODY,
    LONGEST_BODY,
    MEMBER,
    SIGNED_IN,
    SUPERUSER,
    VIEWER,
    Permission,
    permission_of,
    permission_table,
    permits,
    rank_of,
)
from portal.web.refusals import note_refusal
from portal.web.route_values import (
    Digest,
    LinkToken,
    ProofToken,
    PublicId,
    RowId,
    SetupToken,
    number_argument,
)

__all__ = [
    "ADMIN",
    "ADMIN_POLICY",
    "ANYBODY",
    "DATABASE_AWAY",
    "ERRORS",
    "LONGEST_BODY",
    "MEMBER",
    "SIGNED_IN",
    "STATIC",
    "SUPERUSER",
    "VIEWER",
    "Digest",
    "FormActor",
    "LinkToken",
    "NoSession",
    "Permission",
    "ProofToken",
    "PublicId",
    "RowId",
    "SetupToken",
    "add_headers",
    "check_permission",
    "csrf",
    "error_page",
    "file_answer",
    "forget_in_browser",
    "has_part",
    "install_error_pages",
    "install_filters",
    "login_manager",
    "myself",
    "not_modified",
    "note_refusal",
    "number_argument",
    "permission_of",
    "permission_table",
    "permits",
    "prepare_request",
    "rank_of",
    "refuse_foreign_forms",
    "safe_next",
    "said",
    "zone",
]
