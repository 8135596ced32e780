"""The pages over real checks: our own name server publishes, and the worker looks."""

from __future__ import annotations

from collections.abc import Callable

from tests.people import Browser, MakeClient

RunJobs = Callable[..., int]


def test_from_the_form_to_an_open_host_that_all_five_checks_see(
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
    page = alice.get(f"{path}/")
    verdicts = [" ".join(one.text.split()) for one in page.html.select(".checks .verdict")]
    assert verdicts == ["Pass"] * 5
    assert page.find(".head-title .state").text == "Live"
    assert "Visitors are answered here." in page.find(".domain-hosts").text
    assert "Portal local root" in page.find(".domain-hosts").text
    assert "patient_desk was put on the domain." in page.find("[aria-labelledby=timeline]").text
    assert "lakeside.example is verified" in alice.get("/notifications/").words


def test_an_open_host_is_asked_through_the_edge_who_answers(
    alice: Browser, make_client: MakeClient, run_jobs: RunJobs, site: str
) -> None:
    hashed_id = make_client("patient_desk")
    added = alice.post("/custom-domains/new", {"domain_name": "hillside.example"})
    path = added.location.rstrip("/")
    alice.post(f"{path}/publishing/local", {})
    run_jobs()
    alice.post(f"{path}/clients/attach", {"llm_client": hashed_id})
    alice.post(f"/llm-clients/{hashed_id}/deploy", {"confirm": "yes"})
    run_jobs()
    alice.post(f"{path}/check", {})
    run_jobs()
    page = alice.get(f"{path}/")
    verdicts = [" ".join(one.text.split()) for one in page.html.select(".checks .verdict")]
    assert verdicts == ["Pass"] * 5
    assert "answers with our certificate and says that it is patient_desk." in page.words
