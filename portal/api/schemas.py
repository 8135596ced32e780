"""The schemas of the OpenAPI document: kinds by their tables, the rest written here. Pure."""

from __future__ import annotations

from typing import Any

from portal.custom_domains.results import Acts, Checks, Reasons, Verdicts
from portal.history_search.filters import MODES
from portal.llm_clients.models import LLMClient
from portal.manifests.kinds import KINDS
from portal.manifests.schema import Schema, schema_of, wish_of
from portal.vault.forms import LIFETIMES, OVERLAPS

IN_API = ("LLMClient", "CustomDomain", "ApiKey")
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
TEXTS: Schema = {"type": "array", "items": TEXT}
EXPIRY: Schema = {"type": "string", "enum": list(LIFETIMES), "description": "In days."}


def maybe(schema: Schema) -> Schema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def an_object(required: bool = True, **properties: Schema) -> Schema:
    """An object with exactly these."""
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(properties)} if required else found


def a_list(name: str) -> Schema:
    """A page of a list."""
    items: Schema = {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}
    following = {"type": ["string", "null"], "description": "Cursor of the next page."}
    return an_object(items=items, next=following)


_ITEM = {
    "id": TEXT,
    "createdAt": TIME,
    "requestId": TEXT,
    "llmClient": TEXT,
    "sessionKey": TEXT,
    "revision": maybe(NUMBER),
    "host": TEXT,
    "mode": {"type": "string", "enum": ["", *MODES]},
    "provider": TEXT,
    "model": TEXT,
    "status": NUMBER,
    "errorCode": TEXT,
    "errorText": TEXT,
    "latencyMs": maybe(NUMBER),
    "firstTokenMs": maybe(NUMBER),
    "tokensIn": NUMBER,
    "tokensOut": NUMBER,
    "costMicros": {**maybe(NUMBER), "description": "Millionths of the account’s currency."},
    "question": TEXT,
    "answer": TEXT,
}
_CLIENT = {
    "id": NUMBER,
    "hashedId": TEXT,
    "name": TEXT,
    "owner": TEXT,
    "description": TEXT,
    "version": TEXT,
    "tags": TEXTS,
    "provider": TEXT,
    "defaultModel": TEXT,
    "deployed": FLAG,
    "ready": FLAG,
    "isPublic": FLAG,
    "dnsVerificationStatus": {
        "type": "string",
        "enum": [str(one) for one in LLMClient.DnsVerificationStatusChoices],
    },
    "tlsCertificateIssuanceStatus": {
        "type": "string",
        "enum": [str(one) for one in LLMClient.TlsCertificateIssuanceStatusChoices],
    },
    "url": TEXT,
    "updatedAt": TIME,
}
_DOMAIN = {"id": NUMBER, "name": TEXT, "isVerified": FLAG, "state": TEXT, "llmClients": TEXTS}
_RECORD = {"name": TEXT, "type": TEXT, "value": TEXT, "ttl": NUMBER, "publishedBy": TEXT}
_CHECK = {
    "check": {"type": "string", "enum": [str(one) for one in Checks]},
    "host": TEXT,
    "verdict": {"type": "string", "enum": [str(one) for one in Verdicts]},
    "reason": {"type": ["string", "null"], "enum": [*(str(one) for one in Reasons), None]},
    "sentence": TEXT,
    "whoActs": {"type": "string", "enum": [str(one) for one in Acts]},
    "fix": TEXT,
    "expected": TEXT,
    "found": TEXTS,
    "source": TEXT,
    "clearsAt": maybe(TIME),
    "checkedAt": maybe(TIME),
}
_ERROR = an_object(field=TEXT, detail=TEXT)
_DIFFERENCE = an_object(field=TEXT, before=TEXT, after=TEXT)


def all_of_them() -> dict[str, Any]:
    """Every schema by its name."""
    problem = an_object(type=TEXT, title=TEXT, status=NUMBER, detail=TEXT, requestId=TEXT)
    problem["properties"]["errors"] = {"type": "array", "items": _ERROR}
    change = an_object(
        kind=TEXT,
        name=TEXT,
        action={"type": "string", "enum": ["create", "change", "nothing"]},
        remarks=TEXTS,
        secret=TEXT,
        differences={"type": "array", "items": _DIFFERENCE},
    )
    return {
        **{name: schema_of(KINDS[name]) for name in IN_API},
        "LLMClientWish": wish_of(KINDS["LLMClient"]),
        "ApiKeyWish": wish_of(KINDS["ApiKey"]),
        "LLMClientSummary": an_object(**_CLIENT),
        "ClientList": a_list("LLMClientSummary"),
        "CloneWish": an_object(False, name=TEXT),
        "DeployWish": an_object(False, confirmPublic=FLAG),
        "CustomDomainSummary": an_object(**_DOMAIN),
        "CustomDomainList": a_list("CustomDomainSummary"),
        "DomainWish": {**an_object(False, name=TEXT, claimsHeld=FLAG), "required": ["name"]},
        "DomainRecord": an_object(**_RECORD),
        "DomainRecordList": a_list("DomainRecord"),
        "DomainCheck": an_object(**_CHECK),
        "DomainCheckList": a_list("DomainCheck"),
        "ApiKeyList": a_list("ApiKey"),
        "KeyWish": {
            **an_object(False, name=TEXT, llmClients=TEXTS, expiry=EXPIRY),
            "required": ["name"],
        },
        "RotateWish": an_object(
            False, overlap={"type": "string", "enum": list(OVERLAPS)}, expiry=EXPIRY
        ),
        "NewApiKey": an_object(key={"$ref": "#/components/schemas/ApiKey"}, text=TEXT),
        "RequestItem": an_object(**_ITEM),
        "RequestList": a_list("RequestItem"),
        "Request": an_object(**_ITEM, hasBody=FLAG, request={}, response={}),
        "Changes": an_object(applied=FLAG, changes={"type": "array", "items": change}),
        "Problem": problem,
    }
