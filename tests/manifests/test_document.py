"""docs/manifests.md is what the tables say, and the tables are what the forms know."""

from __future__ import annotations

import pytest

from portal.llm_clients import revisions
from portal.manifests.client_fields import CONFIGURATION
from portal.manifests.fields import Parts
from portal.manifests.kind import Kind
from portal.manifests.kinds import KINDS
from tests.manifest_table import TARGET, written

pytestmark = pytest.mark.engine_independent


def test_the_document_says_what_the_tables_say() -> None:
    assert TARGET.read_text() == written(), "run: python -m tests.manifest_table"


def test_every_setting_of_a_revision_has_a_field() -> None:
    columns = {*revisions.CONFIGURATION, "tags", "functions"}
    assert set(CONFIGURATION.values()) == columns
    assert {one.name for one in KINDS["LLMClient"].fields} >= set(CONFIGURATION)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_field_is_once_there_and_names_a_field_of_its_form(kind: Kind) -> None:
    paths = [one.path for one in kind.fields]
    assert len(paths) == len(set(paths))
    writable = [one.name for one in kind.fields if one.part != Parts.STATUS]
    assert len(writable) == len(set(writable))
    assert all(one.about.endswith(".") for one in kind.fields)
