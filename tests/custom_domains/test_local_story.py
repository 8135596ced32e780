"""In the local environment: a domain and a client, from the claim to a host that answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from portal.accounts.models import User
from portal.adapters import current_adapters
from portal.custom_domains import claims
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.results import CheckResult, Verdicts
from portal.database import db, utc_now
from portal.llm_clients.deployment import custom, runs
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient, LLMClientHost
from tests.people import MakeClient, People

NAME = "weinhof.test"


def rows_of(domain: LLMClientCustomDomain) -> dict[tuple[str, str], tuple[Verdicts, str]]:
    results = [CheckResult.from_json(values) for values in domain.check_results]
    return {(one.check, one.host): (one.verdict, one.sentence) for one in results}


def test_from_the_claim_to_an_open_host_and_back(
    people: People,
    make_client: MakeClient,
    stored: Callable[[str], LLMClient],
    run_jobs: Callable[..., int],
) -> None:
    client_id = make_client("cellar_guide")
    llm_client = stored(client_id)
    user = db.session.get_one(User, people.alice.user_id)
    domain = claims.add(llm_client.account, NAME, utc_now(), user)
    domain.zone_editor = "local"
    custom.put_on_domain(llm_client, domain, utc_now(), user)
    runs.begin(llm_client, Deployment.Kinds.DEPLOY, utc_now(), user)
    db.session.commit()

    host = settle(run_jobs, domain.id, f"cellar-guide.{NAME}")

    domain_id = domain.id
    domain = db.session.get_one(LLMClientCustomDomain, domain_id, populate_existing=True)
    rows = rows_of(domain)
    assert {verdict for verdict, _ in rows.values()} == {Verdicts.PASS}, rows
    assert host is not None
    assert host.is_open
    assert domain.is_verified
    assert domain.step == "live"

    claims.remove(domain, utc_now())
    db.session.commit()
    assert not served(f"cellar-guide.{NAME}")
    for _ in range(20):
        run_jobs()
        if is_gone(domain_id):
            break
        soon()
    assert is_gone(domain_id)
    assert stored(client_id).deployed
    assert in_the_zone(f"_llm-verify.{NAME}", "TXT") == ()
    assert in_the_zone(f"cellar-guide.{NAME}", "CNAME") == ()


def is_gone(domain_id: int) -> bool:
    db.session.rollback()
    found = db.session.get(LLMClientCustomDomain, domain_id, populate_existing=True)
    db.session.rollback()
    return found is None


def in_the_zone(name: str, kind: str) -> tuple[str, ...]:
    (answer,) = current_adapters().resolver.authority(name, kind)
    return answer.values


def settle(run_jobs: Callable[..., int], domain_id: int, hostname: str) -> LLMClientHost | None:
    """Let jobs run until the host is open and the domain has nothing left to wait for."""
    host = None
    for _ in range(30):
        run_jobs()
        db.session.rollback()
        host = db.session.scalar(db.select(LLMClientHost).where(LLMClientHost.hostname == hostname))
        domain = db.session.get_one(LLMClientCustomDomain, domain_id, populate_existing=True)
        if host is not None and host.is_open and domain.step == "live":
            break
        soon()
    return host


def soon() -> None:
    """What is planned for later happens now."""
    past: datetime = utc_now() - timedelta(seconds=1)
    for model in (LLMClientCustomDomain, Deployment):
        waiting = model.next_attempt_at.is_not(None)
        db.session.execute(db.update(model).where(waiting).values(next_attempt_at=past))
    db.session.commit()


def served(hostname: str) -> bool:
    db.session.rollback()
    query = db.select(LLMClientHost.id).where(
        LLMClientHost.hostname == hostname,
        LLMClientHost.is_open,
        LLMClientHost.state == LLMClientHost.States.CURRENT,
    )
    found = db.session.scalar(query)
    db.session.rollback()
    return found is not None
