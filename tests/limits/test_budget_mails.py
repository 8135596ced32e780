"""At 80 and at 100 % of a budget the account's admins get a mail; once for each mark."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.accounts.mails import Mail
from portal.database import db, utc_now
from portal.limits import reserving
from portal.limits.budgets import DAY, MONTH, Amount, Budget
from portal.limits.models import BudgetUse
from portal.limits.wishes import Settlement, Wish
from portal.notifications import budget_jobs
from tests.limits.conftest import Program, SetLimits
from tests.model_server import MODEL, ModelServer, completion
from tests.people import People
from tests.planes import Planes
from tests.serving.conftest import MakeVisitor

RunJobs = Callable[..., int]
Use = Callable[..., None]


@pytest.fixture
def use(planes: Planes, people: People) -> Use:
    """Let the account use so many tokens of its budget of 100."""

    def settle(tokens: int, period: str = DAY, most: int = 100) -> None:
        wish = Wish(
            request_id=f"r{utc_now().timestamp()}",
            account_id=people.alice.account_id,
            timezone="Europe/Berlin",
            budgets=(Budget("account", people.alice.account_id, period, most, None),),
            amount=Amount(0, 0),
            asked_at=utc_now(),
        )
        settlement = Settlement((wish,), Amount(tokens, 0))
        with planes.worker.app_context(), db.engine.begin() as connection:
            reserving.write(connection, [wish], [], utc_now())
            reserving.write(connection, [], [settlement], utc_now())

    return settle


def mails(planes: Planes) -> list[Mail]:
    with planes.worker.app_context():
        return list(db.session.scalars(db.select(Mail).order_by(Mail.id)))


def test_each_mark_is_told_once_and_to_admins_only(
    planes: Planes, people: People, run_jobs: RunJobs, use: Use
) -> None:
    use(79)
    run_jobs()
    assert mails(planes) == []
    use(1)
    use(5)
    run_jobs()
    run_jobs()
    first = mails(planes)
    assert [mail.user_id for mail in first] == [people.alice.user_id]
    assert first[0].subject == "80% of the budget of the account for today is used"
    assert "Nothing is refused yet." in first[0].text
    assert f"{planes.settings.platform_url}/limits/" in first[0].text
    use(20)
    use(20)
    run_jobs()
    run_jobs()
    found = mails(planes)
    assert len(found) == 2
    assert found[1].subject == "The budget of the account for today is used up"
    assert "Nothing is refused yet." not in found[1].text


def test_both_marks_at_once_are_one_mail(planes: Planes, run_jobs: RunJobs, use: Use) -> None:
    use(150)
    run_jobs()
    assert [mail.subject for mail in mails(planes)] == [
        "The budget of the account for today is used up"
    ]


def test_day_and_month_are_told_each(planes: Planes, run_jobs: RunJobs, use: Use) -> None:
    use(85)
    use(85, MONTH)
    run_jobs()
    assert sorted(mail.subject for mail in mails(planes)) == [
        "80% of the budget of the account for this month is used",
        "80% of the budget of the account for today is used",
    ]


def test_telling_twice_at_once_tells_once(planes: Planes, use: Use) -> None:
    use(85)
    with planes.worker.app_context():
        use_id = db.session.scalars(db.select(BudgetUse.id)).one()
        budget_jobs.tell_of_budget(use_id)
        budget_jobs.tell_of_budget(use_id)
    assert len(mails(planes)) == 1


def test_a_mark_reached_while_the_other_is_told_is_told_too(
    planes: Planes, run_jobs: RunJobs, use: Use
) -> None:
    use(85)
    with planes.worker.app_context():
        row = db.session.scalars(db.select(BudgetUse)).one()
        row.told_level = 80  # its mail is written, and another process has just gone on
        db.session.commit()
    use(15)
    run_jobs()
    assert [mail.subject for mail in mails(planes)] == [
        "The budget of the account for today is used up"
    ]


def test_a_client_is_named_and_a_refused_prompt_is_the_last_mark(
    planes: Planes,
    make_visitor: MakeVisitor,
    model_server: ModelServer,
    set_limits: SetLimits,
    run_jobs: RunJobs,
) -> None:
    visitor = make_visitor(provider="vendor", default_model=MODEL, default_max_tokens=20)
    set_limits("client", visitor.client_id, day_tokens=100)
    model_server.plays(completion(tokens=(65, 20)))
    assert Program(visitor).statuses(3) == [200, 429, 429]
    run_jobs()
    assert [mail.subject for mail in mails(planes)] == [
        "The budget of the LLM client guide for today is used up"
    ]


def test_a_raised_budget_has_marks_of_its_own(
    planes: Planes, people: People, run_jobs: RunJobs, use: Use
) -> None:
    use(100)
    run_jobs()
    browser = people.browser(people.alice)
    browser.post("/limits/account", {"day_tokens": "1000", "concurrent": ""})
    use(600, most=1_000)
    run_jobs()
    assert len(mails(planes)) == 1
    use(100, most=1_000)
    run_jobs()
    assert [mail.subject for mail in mails(planes)] == [
        "The budget of the account for today is used up",
        "80% of the budget of the account for today is used",
    ]
