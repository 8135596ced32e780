"""The pages over real checks: our own name server publishes, and the worker looks."""

from __future__ import annotations

from collections.abc import Callable

from tests.people import Browser, MakeClient

RunJobs = Callable[..., int]


def test_a_domain_that_we_publish_for_is_verified_and_follows_its_clients(
    alice: Browser, make_client: MakeClient, run_jobs: RunJobs
) -> None:
    hashed_id = make_client("patient_desk")
    added = alice.post("/custom-domains/new", {"domain_name": "lakeside.example"})
    path = added.location.rstrip("/")
    alice.post(f"{path}/publishing/local", {})
    run_jobs()
    assert "Works" in alice.get(f"{path}/publishing").words
    page = alice.get(f"{path}/")
    assert page.find(".head-title .state").text == "Verified"
    assert "lakeside.example is verified" in page.find("[aria-labelledby=timeline]").text
    alice.post(f"{path}/clients/attach", {"llm_client": hashed_id})
    alice.post(f"/llm-clients/{hashed_id}/deploy", {"confirm": "yes"})
    run_jobs()
    checks = alice.get(f"{path}/").find(".checks").text
    assert "No deployed client answers" not in checks, "a domain that works is looked at anew"
    assert "lakeside.example is verified" in alice.get("/notifications/").words
