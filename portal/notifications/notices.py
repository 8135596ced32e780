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
    if run.is_custom:
        domain = run.llm_client.custom_domain
        name = f"{name} on {domain.domain_name if domain else 'its domain'}"
    if run.state == States.DONE:
        return f"{name} is ready"
    what = "deployed" if run.kind == Kinds.DEPLOY else "taken off its address"
    return f"{name} could not be {what}"


def text(run: Deployment, page_url: str) -> str:
    """What happened, why, who acts, where to look."""
    if run.state == States.DONE:
        url = run.llm_client.custom_url if run.is_custom else run.llm_client.default_url
        return f"{run.llm_client.name} answers visitors at {url}\n\nIts page: {page_url}\n"
    sentences = [subject(run) + ".", run.message, WHO.get(run.who_acts, "")]
    told = "\n".join(sentence for sentence in sentences if sentence)
    return f"{told}\n\nSee what was tried, and try again: {page_url}\n"
