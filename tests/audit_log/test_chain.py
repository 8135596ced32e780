"""The chain: whatever is altered by hand is found, whatever the portal does verifies."""

# ruff: noqa: S608 - statements of the tests themselves
from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from portal.accounts.models import Account, AuditEvent
from portal.audit_log import chains, keeping, sealing
from portal.audit_log.jobs import remove_old_events, seal_events, unsealed_events
from portal.audit_log.models import PLATFORM, AuditChain
from portal.database import db, utc_now
from tests.audit_log.conftest import Seal, Verify, Write
from tests.people import People
from tests.planes import Planes

ByHand = Callable[[str], None]
CONTENT = "action, account_id, user_id, object_type, object_name, address, by, before, after"


def test_what_the_portal_wrote_verifies(write: Write, seal: Seal, verify: Verify) -> None:
    assert verify().problem == ""
    for _ in range(5):
        write()
    assert verify().unsealed == 5
    seal()
    write()
    found = verify()
    assert (found.problem, found.checked, found.unsealed) == ("", 5, 1)
    seal()
    assert (verify().checked, verify().unsealed) == (6, 0)


@pytest.mark.parametrize(
    "column",
    ["action", "object_type", "object_name", "address", "by", "before", "after"],
)
def test_a_changed_column_is_found(
    column: str, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    numbers = [write() for _ in range(3)]
    seal()
    by_hand(f"UPDATE audit_events SET {column} = '\"x\"' WHERE id = {numbers[1]}")
    found = verify()
    assert f"Event 2 (number {numbers[1]}" in found.problem
    assert "was altered" in found.problem
    assert found.checked == 1


def test_another_person_another_time_and_another_number_are_found(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    number = write()
    seal()
    for change, back in (
        (f"user_id = {people.bob.user_id}", f"user_id = {people.alice.user_id}"),
        ("object_id = 8", "object_id = 7"),
        (f"id = {number + 50}", f"id = {number}"),
    ):
        by_hand(f"UPDATE audit_events SET {change}")
        assert "Event 1" in verify().problem, change
        by_hand(f"UPDATE audit_events SET {back}")
        assert verify().problem == ""
    by_hand("UPDATE audit_events SET created_at = '2020-01-01 00:00:00.000000+00:00'")
    assert "Event 1" in verify().problem


def test_a_removed_one_is_found_wherever_it_was(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    numbers = [write() for _ in range(6)]
    seal()
    by_hand(f"DELETE FROM audit_events WHERE id IN ({numbers[2]}, {numbers[3]})")
    assert verify().problem == "Events 3 to 4 were removed from the chain."
    by_hand(f"DELETE FROM audit_events WHERE id IN ({numbers[0]}, {numbers[1]})")
    assert verify().problem == "Events 1 to 4 were removed from the chain."


def test_removing_the_newest_is_found(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    numbers = [write() for _ in range(4)]
    seal()
    by_hand(f"DELETE FROM audit_events WHERE id >= {numbers[2]}")
    assert verify().problem == "Events 3 to 4 were removed from the end of the chain."
    by_hand("UPDATE audit_chains SET sequence = 2")
    assert "head of the chain was altered" in verify().problem
    by_hand(f"UPDATE audit_chains SET seal = (SELECT seal FROM audit_events WHERE id={numbers[1]})")
    assert "head of the chain was altered" in verify().problem
    write()
    seal()
    assert verify().unsealed == 1, "nothing is built on an altered head"
    by_hand("DELETE FROM audit_chains")
    assert "The head of the chain is gone" in verify().problem


def test_the_head_does_not_come_back_unseen(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    write()
    seal()
    by_hand("DELETE FROM audit_chains")
    write()
    seal()
    assert "Event 1" in verify().problem


def test_an_inserted_one_is_found(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    numbers = [write() for _ in range(3)]
    seal()
    columns = f"{CONTENT}, object_id, created_at, updated_at"
    for sequence, told in (("2", "its place in the chain is taken"), ("9", "did not write it")):
        by_hand(
            f"INSERT INTO audit_events (id, {columns}, sequence, seal) SELECT 777, {columns},"
            f" {sequence}, seal FROM audit_events WHERE id = {numbers[1]}"
        )
        assert told in verify().problem
        by_hand("DELETE FROM audit_events WHERE id = 777")
    for mark in ("''", f"'{'a' * 64}'"):
        by_hand(
            f"INSERT INTO audit_events (id, {columns}, seal) SELECT 778, {columns}, {mark}"
            f" FROM audit_events WHERE id = {numbers[1]}"
        )
        seal()
        assert "An event (number 778" in verify().problem
        assert "the portal did not write it" in verify().problem
        by_hand("DELETE FROM audit_events WHERE id = 778")
    write()
    seal()
    assert (verify().problem, verify().checked) == ("", 4)


def test_two_that_change_places_are_found(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    first, second = write("created"), write("deleted")
    seal()
    by_hand(
        f"UPDATE audit_events SET action = CASE id WHEN {first} THEN 'deleted' ELSE 'created' END"
    )
    assert "Event 1" in verify().problem
    by_hand(f"UPDATE audit_events SET action = 'created' WHERE id = {first}")
    by_hand(f"UPDATE audit_events SET action = 'deleted' WHERE id = {second}")
    assert verify().problem == ""
    by_hand("UPDATE audit_events SET sequence = 3 - sequence")
    assert "Event 1" in verify().problem


def test_an_event_of_another_chain_does_not_fit(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    write()
    other = write(account_id=people.charlie.account_id)
    seal()
    seal(people.charlie.account_id)
    by_hand(
        f"UPDATE audit_events SET account_id = {people.alice.account_id}, sequence = 2"
        f" WHERE id = {other}"
    )
    assert "was inserted" in verify().problem
    assert "removed" in verify(people.charlie.account_id).problem


def test_an_unsealed_one_that_was_altered_is_not_taken_in(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    write()
    seal()
    number = write()
    by_hand(f"UPDATE audit_events SET action = 'created' WHERE id = {number}")
    seal()
    assert f"An event (number {number}, created" in verify().problem


def test_events_from_before_the_chain_are_taken_in(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    for _ in range(3):
        write()
    by_hand("UPDATE audit_events SET seal = ''")
    seal()
    assert (verify().problem, verify().checked) == ("", 3)


def test_writers_and_sealers_in_threads_make_one_chain(
    planes: Planes, people: People, write: Write, seal: Seal, verify: Verify
) -> None:
    def work(task: Callable[[], object]) -> None:
        with planes.worker.app_context():
            for _ in range(8):
                task()
            db.session.remove()

    tasks: list[Callable[[], object]] = [write] * 3 + [
        lambda: seal_events(people.alice.account_id)
    ] * 2
    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    seal()
    assert (verify().problem, verify().checked, verify().unsealed) == ("", 24, 0)
    assert db.session.query(AuditChain).filter_by(number=people.alice.account_id).count() == 1


def test_a_worker_that_dies_while_sealing_leaves_nothing_half_done(
    write: Write, seal: Seal, verify: Verify, people: People
) -> None:
    write()
    seal()
    write()
    write()
    chain = chains.find(people.alice.account_id, lock=True)
    assert chain is not None
    assert sealing.seal_some(chain, most=1) == 1
    db.session.rollback()  # as the database does for a process that is gone
    assert (verify().problem, verify().checked, verify().unsealed) == ("", 1, 2)
    seal()
    assert (verify().problem, verify().checked) == ("", 3)


def test_the_clock_rings_for_what_is_not_sealed(write: Write, seal: Seal, people: People) -> None:
    assert list(unsealed_events(utc_now())) == []
    write()
    write(account_id=None)
    rings = {ring.arguments for ring in unsealed_events(utc_now())}
    assert rings == {(people.alice.account_id,), (PLATFORM,)}
    seal()
    seal(PLATFORM)
    assert list(unsealed_events(utc_now())) == []


def aged(write: Write, days: list[int]) -> None:
    for count in days:
        write(at=utc_now() - timedelta(days=count))


def remove(people: People) -> None:
    chain = chains.find(people.alice.account_id)
    assert chain is not None
    chain.next_attempt_at = utc_now()
    db.session.commit()
    remove_old_events(chain.id)


def test_what_is_older_than_the_account_keeps_goes_and_the_rest_verifies(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    aged(write, [500, 450, 401, 399, 60, 1])
    seal()
    remove(people)
    assert (verify().problem, verify().checked) == ("", 3)
    account = db.session.get_one(Account, people.alice.account_id)
    account.audit_days = 30
    db.session.commit()
    remove(people)
    assert (verify().problem, verify().checked) == ("", 1)
    aged(write, [0])
    seal()
    assert (verify().problem, verify().checked, verify().newest) == ("", 2, 7)
    by_hand("DELETE FROM audit_events WHERE sequence = 6")
    assert verify().problem == "Event 6 was removed from the chain."


def test_nobody_can_call_a_removal_of_their_own_retention(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    aged(write, [3, 2, 1])
    seal()
    by_hand(
        "UPDATE audit_chains SET anchor_sequence = 1, anchor_seal ="
        " (SELECT seal FROM audit_events WHERE sequence = 1)"
    )
    by_hand("DELETE FROM audit_events WHERE sequence = 1")
    assert "head of the chain was altered" in verify().problem


def test_retention_leaves_what_was_altered_as_evidence(
    people: People, write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    aged(write, [500, 450, 440])
    seal()
    by_hand("UPDATE audit_events SET action = 'created' WHERE sequence = 2")
    remove(people)
    assert db.session.query(AuditEvent).count() == 2
    assert "Event 2" in verify().problem


def test_retention_goes_in_batches(
    people: People, write: Write, seal: Seal, verify: Verify
) -> None:
    aged(write, [500] * 5)
    seal()
    for left in (3, 1):
        chain = chains.find(people.alice.account_id, lock=True)
        assert chain is not None
        assert keeping.remove_some(chain, 400, utc_now(), most=2) == 2
        db.session.commit()
        assert (verify().problem, verify().checked) == ("", left)


def test_a_new_event_waits_for_no_sealer(
    planes: Planes, people: People, write: Write, seal: Seal, context: object
) -> None:
    """While a sealer holds the head; on SQLite there is one writer anyway."""
    if db.engine.dialect.name == "sqlite":
        return
    write()
    seal()
    chains.find(people.alice.account_id, lock=True)
    done: list[bool] = []

    def another() -> None:
        with planes.worker.app_context():
            db.session.execute(db.text("SET lock_timeout = '2s'"))
            try:
                write()
                done.append(True)
            except OperationalError:
                done.append(False)

    thread = threading.Thread(target=another)
    thread.start()
    thread.join(30)
    db.session.rollback()
    assert done == [True]


def test_looking_from_a_place_on_goes_on_where_it_ended(
    write: Write, seal: Seal, verify: Verify, by_hand: ByHand
) -> None:
    for _ in range(5):
        write()
    seal()
    first = verify(tell=lambda checked, total: False)
    assert first.is_whole  # one batch
    assert verify(after=2).checked == 3
    by_hand("UPDATE audit_events SET action = 'x' WHERE sequence = 4")
    assert "Event 4" in verify(after=2).problem
