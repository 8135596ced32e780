"""Two accounts, their clients, one domain that both want, two workers, a clock: all by moves."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, bindparam, or_, select

from portal.accounts.models import UserProfile
from portal.certificates import store
from portal.custom_domains import claims, holding, looks, verification
from portal.custom_domains.diagnosis import Diagnosis
from portal.custom_domains.hosts import announce_change, hosts_on
from portal.custom_domains.models import LLMClientCustomDomain
from portal.custom_domains.ownership import Proof
from portal.custom_domains.questions import question_of, standing_of
from portal.custom_domains.results import CheckResult, Checks, Reasons, Verdicts
from portal.database import UTCDateTime, current_settings, db, utc_now
from portal.errors import AdapterError, PortalError
from portal.job_queue import claim, still_ours
from portal.llm_clients import registration
from portal.llm_clients.deployment import custom, jobs
from portal.llm_clients.deployment import runs as deployment
from portal.llm_clients.deployment.models import Deployment
from portal.llm_clients.models import LLMClient
from portal.quick_statements import Quick
from portal.tls.probe import Probe
from tests.outside import FakeOutside, probe
from tests.people import People
from tests.stack.beginning import Beginnings

NAME = "lakeside.example"
NAMES = ("desk", "night", "front")
PAUSES = (0.2, 1.0, 3.0, 11.0, 45.0, 3_700.0, 86_400.0)
Kinds = Deployment.Kinds
DomainStates = LLMClientCustomDomain.States
# What is asked at each turn is worked out once.
_active = select(Deployment.id).where(Deployment.state == bindparam("state", type_=String))
ACTIVE = Quick(_active)
DUE = Quick(
    _active.where(Deployment.next_attempt_at <= bindparam("now", type_=UTCDateTime))
    .where(or_(Deployment.leased_until.is_(None), Deployment.leased_until < bindparam("now")))
    .order_by(Deployment.id)
)


class Edge(FakeOutside):
    """An outside whose edge shows what we have stored, and nothing that was issued in vain."""

    def handshake(
        self, name: str, address: str, port: int, now: datetime, *, expected_chain_pem: str = ""
    ) -> Probe:
        found = store.good_certificate(name, now)
        return probe(found is not None, "", "Seen.", found.serial if found is not None else "")


class World:
    """One history: `step` makes a random move; what was done is kept in `told`."""

    def __init__(self, people: People, seed: int, beginnings: Beginnings) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311
        self.profiles = {one.account_id: one.profile_id for one in (people.alice, people.charlie)}
        self.outside = Edge()
        self.now = utc_now()
        self.proved: set[int] = set()
        self.hands: list[Any] = [None, None]
        self.told: list[str] = []
        names = tuple(self.chance.choice(NAMES) for _ in self.profiles)
        beginnings.begin(names, lambda: self.create_all(names))

    def create_all(self, names: tuple[str, ...]) -> None:
        for account_id, name in zip(self.profiles, names, strict=True):
            self.create(account_id, name)

    def step(self) -> None:
        moves = self.chance.choices(*zip(*MOVES, strict=True))
        move = moves[0]
        self.told.append(move.__name__)
        move(self)
        db.session.commit()
        db.session.remove()  # as each request and each job begins with a session of its own

    def any(self, table: type[Any]) -> Any | None:
        rows = list(db.session.scalars(select(table).order_by(table.id)).unique())
        return self.chance.choice(rows) if rows else None

    def create(self, account_id: int, name: str) -> None:
        """A client under this name; where the account has one, nothing."""
        profile = db.session.get_one(UserProfile, self.profiles[account_id])
        client = LLMClient(
            account=profile.account,
            account_id=account_id,
            user_profile=profile,
            name=name,
            default_model="demo",
            default_system_role="You help.",
        )
        query = select(LLMClient.id).where(
            LLMClient.account_id == account_id, LLMClient.name == client.name
        )
        with db.session.no_autoflush:
            if db.session.scalar(query) is not None:
                db.session.rollback()
                return
            try:
                registration.register(client, profile.user)
                db.session.commit()
            except registration.NameTaken:
                db.session.rollback()

    def creates(self) -> None:
        self.create(self.chance.choice(list(self.profiles)), self.chance.choice(NAMES))

    def deploys(self) -> None:
        if client := self.any(LLMClient):
            jobs.begin(client, Kinds.DEPLOY, self.now, None)

    def undeploys(self) -> None:
        if client := self.any(LLMClient):
            jobs.begin(client, Kinds.UNDEPLOY, self.now, None)

    def deletes(self) -> None:
        if client := self.any(LLMClient):
            jobs.begin(client, Kinds.DELETE, self.now, None)

    def renames(self) -> None:
        client, name = self.any(LLMClient), self.chance.choice(NAMES)
        if client is None or client.name == name:
            return
        query = select(LLMClient.id).where(
            LLMClient.account_id == client.account_id, LLMClient.name == name
        )
        if db.session.scalar(query) is not None:
            return
        try:
            jobs.rename(client, name, self.now, None)
        except registration.NameTaken:
            db.session.rollback()

    def cancels(self) -> None:
        client = self.any(LLMClient)
        run = deployment.active_run(client) if client is not None else None
        if run is not None:
            jobs.cancel(run, self.now, None)

    def attaches(self) -> None:
        client, domain = self.any(LLMClient), self.any(LLMClientCustomDomain)
        if client is None or domain is None or client.account_id != domain.account_id:
            return
        try:
            bare = self.chance.random() < 0.3
            custom.put_on_domain(client, domain, self.now, None, uses_bare_domain=bare)
        except PortalError:
            db.session.rollback()

    def detaches(self) -> None:
        if client := self.any(LLMClient):
            custom.take_off_domain(client, self.now, None)

    def adds_domain(self) -> None:
        profile = db.session.get_one(UserProfile, self.chance.choice(list(self.profiles.values())))
        try:
            claims.add(profile.account, NAME, self.now, None, claims_held=True)
        except PortalError:
            db.session.rollback()

    def removes_domain(self) -> None:
        if domain := self.any(LLMClientCustomDomain):
            claims.remove(domain, self.now)

    def proof_comes(self) -> None:
        self.proved.add(self.chance.choice(list(self.profiles)))

    def proof_goes(self) -> None:
        self.proved.discard(self.chance.choice(list(self.profiles)))

    def looks_at_domain(self) -> None:
        """Claim a domain for a look, with a result that may be old when it is stored."""
        domain = self.any(LLMClientCustomDomain)
        if domain is not None:
            self.look(domain)

    def look(self, domain: LLMClientCustomDomain) -> None:
        looks.look_now(domain, self.now)
        db.session.commit()
        taken = claim(LLMClientCustomDomain, domain.id, self.now)
        if taken is None:
            return
        if taken.state == DomainStates.REMOVING:
            verification.finish(taken)
            announce_change(taken, self.now)
            return
        generation, question = taken.generation, question_of(taken, self.now, current_settings())
        diagnosis = self.diagnosis(taken)
        db.session.commit()
        if self.chance.random() < 0.3:
            worker = self.chance.randrange(2)
            self.acts(worker)
            self.stores(worker)
            db.session.commit()
        holding.lock_claims(NAME)
        ours = still_ours(LLMClientCustomDomain, taken.id, generation)
        if ours is not None:
            verification.store(ours, question, diagnosis, self.now, 0.5)

    def diagnosis(self, domain: LLMClientCustomDomain) -> Diagnosis:
        """What real checks would say: by the token in the zone, and who holds the name."""
        is_proved = domain.account_id in self.proved
        names = [(Checks.EXISTS, NAME), (Checks.OWNERSHIP, NAME)]
        names += [(check, one.host) for one in hosts_on(domain, self.now) for check in PER_HOST]
        passed = [CheckResult(check, host, Verdicts.PASS, "Good.") for check, host in names]
        if not is_proved:
            missing = Reasons.MISSING_AT_AUTHORITY
            passed[1] = CheckResult(Checks.OWNERSHIP, NAME, Verdicts.WRONG, "Gone.", missing)
        assert standing_of(domain).ownership_at == ""
        return Diagnosis(tuple(passed), Proof.STANDS if is_proved else Proof.GONE, NAME)

    def due(self) -> list[int]:
        values = {"state": Deployment.States.ACTIVE.value, "now": self.now}
        return [number for (number,) in DUE.rows(db.session.connection(), values)]

    def worker_moves(self) -> None:
        """The next of claim, act and store; a worker may be killed between any two."""
        worker = self.chance.randrange(2)
        hand = self.hands[worker]
        if hand is None:
            self.takes(worker)
        elif self.chance.random() < 0.06:
            self.told[-1] = "a worker is killed"
            self.hands[worker] = None
        elif len(hand) == 1:
            self.acts(worker)
        else:
            self.stores(worker)

    def takes(self, worker: int) -> None:
        due = self.due()
        hand = jobs.take(self.chance.choice(due), self.now) if due else None
        self.hands[worker] = None if hand is None else (hand,)

    def acts(self, worker: int) -> None:
        held = self.hands[worker]
        if held is not None and len(held) == 1:
            self.hands[worker] = (held[0], jobs.act(held[0], self.outside.adapters(), self.now))

    def stores(self, worker: int) -> None:
        held = self.hands[worker]
        if held is not None and len(held) == 2:
            self.hands[worker] = None
            jobs.store(*held, self.now)

    def weather(self) -> None:
        """The name server of the platform refuses changes for a while, or does not."""
        trouble = AdapterError("The name server is away.", reason="unreachable")
        self.outside.zone_error = trouble if self.chance.random() < 0.3 else None

    def time_goes(self) -> None:
        self.now += timedelta(seconds=self.chance.choice(PAUSES))

    def come_to_rest(self) -> None:
        """Nobody wishes anything more; workers and checks go on until nothing is due."""
        self.outside.zone_error = None
        for pause in (*[60] * 20, *[86_400] * 12):
            for domain_id in db.session.scalars(select(LLMClientCustomDomain.id)).all():
                if (domain := db.session.get(LLMClientCustomDomain, domain_id)) is not None:
                    self.look(domain)
                    db.session.commit()
                db.session.remove()
            while due := self.due():
                for run_id in due:
                    hand = jobs.take(run_id, self.now)
                    if hand is not None:
                        result = jobs.act(hand, self.outside.adapters(), self.now)
                        jobs.store(hand, result, self.now)
                    db.session.remove()
            if deployment_is_quiet():
                break
            self.now += timedelta(seconds=pause)
        db.session.remove()


def deployment_is_quiet() -> bool:
    values = {"state": Deployment.States.ACTIVE.value}
    return not ACTIVE.rows(db.session.connection(), values)


PER_HOST = (Checks.ROUTING, Checks.ISSUABLE, Checks.HTTPS)
MOVES = (
    (World.worker_moves, 30),
    (World.time_goes, 10),
    (World.looks_at_domain, 8),
    (World.deploys, 6),
    (World.proof_comes, 4),
    (World.attaches, 4),
    (World.adds_domain, 3),
    (World.undeploys, 2),
    (World.renames, 3),
    (World.cancels, 3),
    (World.proof_goes, 1),
    (World.detaches, 1),
    (World.creates, 1),
    (World.removes_domain, 1),
    (World.deletes, 1),
    (World.weather, 1),
)
