"""What the re-check of many live domains costs with all that the database has to do with it.

`python -m bench.live_domains [--domains 10000]`; see bench/README.md. SQLite, durable commits; the
clock finds what is due, one worker claims it, asks, and stores.
"""

from __future__ import annotations

import argparse
import base64
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from sqlalchemy import insert, update

from bench.domains import DELAY, names_with_dead
from bench.name_server import VALUE
from bench.processes import free_port, program
from portal import schema
from portal.accounts.models import Account
from portal.app import create_worker_app
from portal.custom_domains import jobs, looks
from portal.custom_domains.models import LLMClientCustomDomain, LLMClientCustomDomainDNS
from portal.custom_domains.records import Purposes
from portal.database import db, utc_now
from portal.job_queue import perform
from portal.settings import Settings

SHORT_LOOK = 1  # a generation whose next look is a short one
ACCOUNTS = 100


@contextmanager
def installation(port: int) -> Iterator[None]:
    """An empty portal whose only public resolver is the measured one."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(folder),
            database_url=f"sqlite:///{folder}/portal.sqlite3",
            zone_editor="manual",
            public_resolvers=(("127.0.0.1", port),),
            secret_key=secrets.token_hex(32),
            encryption_keys=(Fernet.generate_key().decode(),),
            internal_token=secrets.token_hex(16),
            tsig_secret=base64.b64encode(secrets.token_bytes(32)).decode(),
        )
        with create_worker_app(settings).app_context():
            schema.upgrade(db.engine)
            yield
            db.engine.dispose()


def fill(names: list[str]) -> None:
    """Live domains, verified, with one record each."""
    accounts = [Account(company_name=f"Account {number}") for number in range(ACCOUNTS)]
    db.session.add_all(accounts)
    db.session.flush()
    domains = [
        {
            "id": number,
            "account_id": accounts[number % ACCOUNTS].id,
            "domain_name": name,
            "is_verified": True,
            "state": LLMClientCustomDomain.States.VERIFIED,
            "step": looks.LIVE,
            "generation": SHORT_LOOK,
        }
        for number, name in enumerate(names, start=1)
    ]
    records = [
        {
            "custom_domain_id": number,
            "purpose": Purposes.OWNERSHIP,
            "record_name": name,
            "record_type": "TXT",
            "record_value": VALUE.decode(),
        }
        for number, name in enumerate(names, start=1)
    ]
    db.session.execute(insert(LLMClientCustomDomain), domains)
    db.session.execute(insert(LLMClientCustomDomainDNS), records)
    db.session.commit()


def recheck() -> tuple[float, float, int]:
    """Seconds and processor seconds of looking at all that is due, and how many stay live."""
    db.session.execute(
        update(LLMClientCustomDomain).values(
            next_attempt_at=utc_now() - timedelta(seconds=1),
            leased_until=None,
            step=looks.LIVE,
            generation=SHORT_LOOK,
        )
    )
    db.session.commit()
    begin, used = time.monotonic(), time.process_time()
    rings = list(jobs.due_domains(utc_now()))
    db.session.rollback()
    for ring in rings:
        perform(ring.name, *ring.arguments)
    took, processor = time.monotonic() - begin, time.process_time() - used
    live = LLMClientCustomDomain.step == looks.LIVE
    put_off = LLMClientCustomDomain.next_attempt_at > utc_now() + timedelta(hours=5)
    kept = db.session.scalar(db.select(db.func.count()).where(live, put_off)) or 0
    db.session.rollback()
    return took, processor, kept


def main() -> None:
    """Print one line for each share of dead names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domains", type=int, default=10_000)
    chosen = parser.parse_args()
    port = free_port(1)
    with program((sys.executable, "-m", "bench.name_server", str(port), str(DELAY)), port):
        for share in (0.0, 0.01):
            with installation(port):
                fill(names_with_dead(chosen.domains, share))
                recheck()
                took, processor, kept = recheck()
            title = f"{chosen.domains:,} live domains, {DELAY} ms an answer, {share:.0%} dead"
            print(f"{title}: {took:.2f} s, processor {processor:.2f} s, {kept:,} put off")


if __name__ == "__main__":
    main()
