"""A domain's records as a file and as the words of a mail."""

from __future__ import annotations

from flask import Response, current_app

from portal.custom_domains import record_keeping, records
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.records import NeededRecord


def needed(custom_domain: LLMClientCustomDomain) -> list[NeededRecord]:
    """The rows as the values that texts are made of, in the order in which they are entered."""
    return [
        NeededRecord(
            record.purpose,
            record.record_name,
            record.record_type,
            record_keeping.values_of(record),
            record.host,
            record.is_required,
            record.record_ttl,
        )
        for record in sorted(custom_domain.dns_records, key=lambda one: not one.is_required)
    ]


def answer(custom_domain: LLMClientCustomDomain) -> Response:
    """A text file to save, named after the domain."""
    text = records.zone_file(needed(custom_domain), custom_domain.domain_name)
    response = current_app.response_class(text, mimetype="text/plain")
    name = f"{custom_domain.domain_name}.zone.txt"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def mail_text(custom_domain: LLMClientCustomDomain, link: str) -> str:
    """The records as plain text, with the link at the end."""
    return records.mail_text(
        needed(custom_domain), custom_domain.domain_name, custom_domain.zone_name, link
    )
