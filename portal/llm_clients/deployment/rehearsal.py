"""What the first step of a run asks the database, asked once by the process that forks workers.

SQLAlchemy works a statement out when it is first asked, which takes longer than the answer. A
forked child that has the result from its parent need not do that again for each job.
"""

from __future__ import annotations

from datetime import datetime

from portal.certificates import store
from portal.llm_clients.deployment import effects, jobs
from portal.llm_clients.deployment.attempts import Done
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.targets import target_of
from portal.llm_clients.models import LLMClientHost


def rehearse(now: datetime) -> None:
    """Ask of a run and a host that nobody has, so that nothing is found and nothing changes."""
    kind, scope = Deployment.Kinds.DEPLOY, Deployment.Scopes.DEFAULT
    nobodys = Deployment(id=0, llm_client_id=0, kind=kind, scope=scope)
    jobs.take(nobodys.id, now)
    target = target_of(nobodys, now)
    store.good_certificate("", now)
    effects.hosts_of(nobodys, LLMClientHost.States.CURRENT)
    jobs.store(jobs.Hand(nobodys.id, 0, "", target, None), Done(""), now)
