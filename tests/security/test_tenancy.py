"""T: one account never reaches another's things (SECURITY.md section 2.1)."""

from __future__ import annotations

import pytest

from portal.accounts.models import Account, UserProfile
from portal.caching import cache
from portal.database import db, reading
from portal.llm_clients.models import LLMClient
from portal.plugins.models import Plugin
from portal.vault.models import AuthToken
from portal.web import permission_of
from tests.people import MakeClient, People
from tests.planes import Planes


@pytest.mark.parametrize("verb", ["attach", "detach"])
def test_t2_the_own_client_leads_to_no_foreign_key(
    verb: str, planes: Planes, people: People, make_client: MakeClient
) -> None:
    own = make_client()
    with planes.worker.app_context():
        theirs = AuthToken(
            account_id=people.charlie.account_id, prefix="portal_x", secret_hash="h", name="theirs"
        )
        db.session.add(theirs)
        db.session.commit()
        number = theirs.id
    alice = people.browser(people.alice)
    for key_id in (number, 999_999):
        page = alice.post(f"/llm-clients/{own}/keys/{key_id}/{verb}", expected=404)
        assert "theirs" not in page.text


def test_t2_the_own_client_leads_to_no_foreign_plugin(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    own = make_client()
    with planes.worker.app_context():
        plugin = Plugin(
            account_id=people.charlie.account_id, name="theirs", kind=Plugin.Kinds.STATIC
        )
        db.session.add(plugin)
        db.session.commit()
        number = plugin.id
    rules = [
        rule
        for rule in planes.admin.url_map.iter_rules()
        if {"llm_client_id", "plugin_id"} <= set(rule.arguments)
    ]
    assert rules
    alice, adapter = people.browser(people.alice), planes.admin.url_map.bind("localhost")
    token = alice.token()
    for rule in rules:
        path = adapter.build(rule.endpoint, {"llm_client_id": own, "plugin_id": number})
        answer = alice.raw("POST", path, data={"csrf_token": token})
        assert answer.status_code == 404, path


def test_t6_the_cache_keeps_accounts_apart(
    planes: Planes, people: People, make_client: MakeClient
) -> None:
    make_client("guide", people.alice)
    make_client("guide", people.charlie)
    with planes.worker.app_context(), reading():
        cache().forget()
        for _ in range(2):  # read, then kept
            for person in (people.alice, people.charlie):
                account = db.session.get_one(Account, person.account_id)
                found = LLMClient.get_cached_object(name="guide", account=account)
                assert found is not None
                assert found.account_id == person.account_id
                profile = db.session.get_one(UserProfile, person.profile_id)
                [own] = LLMClient.get_cached_objects(profile)
                assert own.account_id == person.account_id


def test_t6_no_page_of_the_admin_plane_is_kept_by_a_cache(
    people: People, make_client: MakeClient
) -> None:
    hashed_id, alice = make_client(), people.browser(people.alice)
    for path in ("/", "/llm-clients/", f"/llm-clients/{hashed_id}/", "/audit/", "/nothing"):
        assert alice.raw("GET", path).headers["Cache-Control"] == "no-store", path
    fragment = alice.raw("GET", f"/llm-clients/{hashed_id}/status").headers["Cache-Control"]
    assert "private" in fragment
    assert "no-cache" in fragment


def test_t7_no_route_takes_the_id_of_a_job(planes: Planes) -> None:
    for app in (planes.admin, planes.serving, planes.internal):
        for rule in app.url_map.iter_rules():
            assert not any("job" in name for name in rule.arguments), rule
            if rule.endpoint.endswith("status") and rule.arguments:
                permission = permission_of(app, rule.endpoint)
                assert permission is not None, rule
