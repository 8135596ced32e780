"""What a mail says about a deployment that ended."""

from __future__ import annotations

from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.deployment.words import WHO

Kinds, States = Deployment.Kinds, Deployment.States


def worth_a_mail(run: Deployment) -> bool:
    """A deployment that is done or failed; what somebody just closed or cancelled needs none."""
    if run.state == States.FAILED:
        return True
    return run.state == States.DONE and run.kind == Kinds.DEPLOY


def subject(run: Deployment) -> str:
    """One line, the client first."""
    name = run.llm_client.name
    if run.state == States.DONE:
        return f"{name} is ready"
    what = "deployed" if run.kind == Kinds.DEPLOY else "taken off its address"
    return f"{name} could not be {what}"


def text(run: Deployment, page_url: str) -> str:
    """What happened, why, who acts, where to look."""
    if run.state == States.DONE:
        return (
            f"{run.llm_client.name} answers visitors at {run.llm_client.url}\n\n"
            f"Its page: {page_url}\n"
        )
    sentences = [subject(run) + ".", run.message, WHO.get(run.who_acts, "")]
    told = "\n".join(sentence for sentence in sentences if sentence)
    return f"{told}\n\nSee what was tried, and try again: {page_url}\n"
