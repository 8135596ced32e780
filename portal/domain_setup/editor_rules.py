"""What the form of a zone editor refuses before anything is stored or tried."""

from __future__ import annotations

from ipaddress import ip_address

from portal.adapters import current_adapters
from portal.custom_domains import records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.database import current_settings
from portal.domain_setup.forms import FIELD, ZoneEditorForm
from portal.errors import AdapterError
from portal.outgoing import is_public_address

SERVER = FIELD + "server"
NO_ADDRESS = "Enter the IP address of the name server, such as 192.0.2.53."
PRIVATE = "This address works inside one network only. Enter a public one."


def accepts(form: ZoneEditorForm, custom_domain: LLMClientCustomDomain, kind: str) -> bool:
    """Whether an editor can be built of what was typed; else the form says why not."""
    problem = _server_problem(form)
    if problem:
        form[SERVER].errors = [problem]
        return False
    known = zone_editing.values_of(custom_domain) if custom_domain.zone_editor == kind else {}
    typed = {name: value for name, value in form.values().items() if value}
    zone = records.zone_guess(custom_domain.domain_name, custom_domain.zone_name)
    try:
        current_adapters().customer_zone_editor(kind, zone, {**known, **typed})
    except AdapterError as error:
        detail = f" {error.detail}".rstrip()
        form.form_errors.append(f"{error.public_message}{detail}")
        return False
    return True


def _server_problem(form: ZoneEditorForm) -> str:
    """We connect to this address ourselves: nothing of our own network may be reached by it."""
    if SERVER not in form:
        return ""
    address = (form[SERVER].data or "").strip()
    try:
        ip_address(address)
    except ValueError:
        return NO_ADDRESS
    is_allowed = current_settings().allow_private_addresses or is_public_address(address)
    return "" if is_allowed else PRIVATE
