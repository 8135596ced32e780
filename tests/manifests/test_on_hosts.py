"""A client's manifest at its own host: for a personal token of its account, and nobody else."""

from __future__ import annotations

from tests.api.conftest import MakeProgram, make_program
from tests.people import People
from tests.serving.conftest import MakeVisitor, make_visitor

assert make_program  # fixtures
assert make_visitor


def test_only_the_accounts_own_people_read_it(
    people: People, make_visitor: MakeVisitor, make_program: MakeProgram
) -> None:
    visitor = make_visitor("guide")
    own, foreign = make_program(people.vera, may_write=False), make_program(people.charlie)
    platform = f"http://{visitor.planes.settings.platform_domain}"
    by_number = f"/api/v1/llm-clients/{visitor.client_id}/manifest/"
    for token, expected in (("", 404), (foreign.token, 404), ("garbage", 404), (own.token, 200)):
        headers = {"Authorization": f"Bearer {token}"}
        for answer in (
            visitor.ask("GET", "/manifest/", headers=headers),
            visitor.client.get(by_number, base_url=platform, headers=headers),
        ):
            assert answer.status_code == expected, token
            assert (b"kind: LLMClient" in answer.data) == (expected == 200)
