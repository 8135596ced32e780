"""What the form of a zone editor refuses before anything is stored or tried."""

from __future__ import annotations

from portal.adapters import current_adapters
from portal.custom_domains import records, zone_editing
from portal.custom_domains.models import LLMClientCustomDomain
from portal.domain_setup.forms import ZoneEditorForm
from portal.errors import AdapterError
from portal.vault import named


def accepts(form: ZoneEditorForm, custom_domain: LLMClientCustomDomain, kind: str) -> bool:
    """Whether an editor can be built of what was typed; else the form says why not."""
    known = zone_editing.values_of(custom_domain) if custom_domain.zone_editor == kind else {}
    typed = {name: value for name, value in form.values().items() if value}
    for value in typed.values():
        if problem := named.problem_with(custom_domain.account_id, value):
            form.form_errors.append(problem)
            return False
    typed = named.all_followed(custom_domain.account_id, typed)
    zone = records.zone_guess(custom_domain.domain_name, custom_domain.zone_name)
    try:
        current_adapters().customer_zone_editor(kind, zone, {**known, **typed})
    except AdapterError as error:
        form.form_errors.append(f"{error.public_message} {error.detail}".strip())
        return False
    return True
