"""What is told of a deployment that ended."""

from __future__ import annotations

from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.words import WHO
from portal.notices.kinds import Kind, Level
from portal.notices.telling import News

Kinds, States = Deployment.Kinds, Deployment.States


def worth_telling(run: Deployment) -> bool:
    """A deployment that is done or failed; of what somebody just closed or cancelled they know."""
    if run.state == States.FAILED:
        return True
    return run.state == States.DONE and run.kind == Kinds.DEPLOY


def news(run: Deployment) -> News:
    """For everybody, and by mail for whoever began it."""
    is_done = run.state == States.DONE
    return News(
        kind=Kind.DEPLOYMENT_DONE if is_done else Kind.DEPLOYMENT_FAILED,
        level=Level.GOOD if is_done else Level.BAD,
        subject=subject(run),
        text=text(run),
        path=f"/llm-clients/{run.llm_client.hashed_id}/",
        about=run.llm_client,
        name=run.llm_client.name,
        concerned=(run.started_by_id,),
    )


def subject(run: Deployment) -> str:
    """One line, the client first."""
    name = run.llm_client.name
    if run.is_custom:
        domain = run.llm_client.custom_domain
        name = f"{name} on {domain.domain_name if domain else 'its domain'}"
    if run.state == States.DONE:
        return f"{name} is ready"
    what = "deployed" if run.kind == Kinds.DEPLOY else "taken off its address"
    return f"{name} could not be {what}"


def text(run: Deployment) -> str:
    """What happened, why, who acts."""
    if run.state == States.DONE:
        url = run.llm_client.custom_url if run.is_custom else run.llm_client.default_url
        return f"{run.llm_client.name} answers visitors at {url}"
    sentences = [subject(run) + ".", run.message, WHO.get(run.who_acts, "")]
    return "\n".join(sentence for sentence in sentences if sentence)
