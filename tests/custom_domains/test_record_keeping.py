"""The rows say what is needed, and what is needed no more is handed back to be withdrawn."""

from __future__ import annotations

from portal.custom_domains import record_keeping
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.records import NeededRecord, Target, needed_records
from portal.database import db
from portal.dns.manual import ManualZoneEditor
from tests.custom_domains.stories import NAME, Claims

TARGET = Target("edge.api.portal.de", ("203.0.113.6", "203.0.113.7"), "acme.api.portal.de")


def needed(domain: LLMClientCustomDomain, *hosts: str) -> tuple[NeededRecord, ...]:
    return needed_records(record_keeping.wish_of(domain, hosts), TARGET)


def rows(domain: LLMClientCustomDomain) -> dict[tuple[str, str], LLMClientCustomDomainDNS]:
    db.session.flush()
    db.session.expire_all()
    return {(row.record_name, row.record_type): row for row in domain.dns_records}


def test_twice_changes_nothing(story: Claims) -> None:
    domain = story.add(story.account())
    wanted = needed(domain, f"bot.{NAME}", NAME)
    record_keeping.synchronise(domain, wanted)
    db.session.commit()
    first = {key: (row.id, row.updated_at) for key, row in rows(domain).items()}
    assert record_keeping.synchronise(domain, wanted) == []
    db.session.commit()
    assert {key: (row.id, row.updated_at) for key, row in rows(domain).items()} == first
    assert record_keeping.values_of(rows(domain)[NAME, "A"]) == ("203.0.113.6", "203.0.113.7")


def test_what_is_not_needed_any_more_goes(story: Claims) -> None:
    domain = story.add(story.account())
    domain.wants_wildcard = True
    record_keeping.synchronise(domain, needed(domain))
    domain.zone_editor = "rfc2136"
    record_keeping.note_published(domain, [(f"*.{NAME}", "CNAME")])
    domain.wants_wildcard = False
    gone = record_keeping.synchronise(domain, needed(domain, f"bot.{NAME}"))
    assert [(one.name, one.type, one.values) for one in gone] == [
        (f"*.{NAME}", "CNAME", ("edge.api.portal.de",))
    ]
    assert set(rows(domain)) == {(f"_llm-verify.{NAME}", "TXT"), (f"bot.{NAME}", "CNAME")}


def test_what_somebody_enters_by_hand_is_not_ours_to_withdraw(story: Claims) -> None:
    domain = story.add(story.account())
    wanted = needed(domain, f"bot.{NAME}")
    record_keeping.synchronise(domain, wanted)
    assert record_keeping.publish(ManualZoneEditor(), wanted) == []
    assert record_keeping.synchronise(domain, needed(domain)) == []
    assert record_keeping.published_records(domain) == []


def test_a_changed_value_is_published_again(story: Claims) -> None:
    domain = story.add(story.account())
    domain.zone_editor = "rfc2136"
    record_keeping.synchronise(domain, needed(domain))
    record_keeping.note_published(domain, [(f"_llm-verify.{NAME}", "TXT")])
    proof = rows(domain)[f"_llm-verify.{NAME}", "TXT"]
    proof.found = {"verdict": "pass"}
    db.session.flush()
    assert not record_keeping.has_unpublished(domain)
    domain.verification_token = "another"
    record_keeping.synchronise(domain, needed(domain))
    assert record_keeping.has_unpublished(domain)
