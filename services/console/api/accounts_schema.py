"""How `/v1/accounts` is described in /openapi.json: the routes read raw bodies, so they must say so."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from services.console.domain.listing import DEFAULT_LIMIT, MOST
from shared.domain.account import Account
from shared.http.openapi import inlined, refusal


class Accounts(BaseModel):
    """A page of accounts."""

    accounts: list[Account]
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one")


_TAG: Final = {"schema": {"type": "string"}, "description": 'Of the directory\'s version: `"7"`'}
_REFUSED: Final[dict[int | str, Any]] = {
    401: refusal("The API key is missing, unknown, expired or revoked"),
    403: refusal("The API key lacks the scope accounts:read, or accounts:write to change one"),
    503: refusal("MongoDB is away, or no workspace is applied yet; see Retry-After"),
}
_NOT_FOUND: Final[dict[int | str, Any]] = {404: refusal("There is no account of this id")}
_NOT_TAKEN: Final[dict[int | str, Any]] = {
    400: refusal("Not JSON, the detail names line and column; or a precondition that cannot be read"),
    412: refusal("If-Match or If-None-Match does not hold: somebody changed the directory meanwhile"),
    413: refusal("The body, or the directory with it, is too large"),
    415: refusal("Not announced as JSON"),
    422: refusal("It cannot be taken; the pointers name the fields"),
}


def _with_tag(description: str, model: type[BaseModel] | None = Account) -> dict[str, Any]:
    found: dict[str, Any] = {"description": description, "headers": {"ETag": _TAG}}
    return found | ({"model": model} if model is not None else {})


def _header(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"in": "header", "name": name, "required": False, "schema": schema, "description": description}


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": False, "schema": schema, "description": description}


def _body(*media_types: str, required: tuple[str, ...]) -> dict[str, Any]:
    schema = {**inlined(Account.model_json_schema()), "required": list(required)}
    return {"required": True, "content": {media_type: {"schema": schema} for media_type in media_types}}


_SECURITY: Final[list[dict[str, list[str]]]] = [{"apiKey": []}]
_SEEN = _header("If-None-Match", "The ETag of an earlier answer: 304 when nothing has changed since.")
_MATCH = _header("If-Match", "The ETag of an earlier answer: 412 when anything was changed since.")
_NEW = _header("If-None-Match", "`*`: 412 when there is an account of this id already.")

LIST: Final[dict[str, Any]] = {
    "summary": "List customer accounts",
    "description": "In the order of their ids.",
    "responses": {
        200: _with_tag("A page of them", Accounts),
        304: {"description": "As it was"},
        400: refusal("A parameter that is not known, or not a number"),
        **_REFUSED,
    },
    "openapi_extra": {
        "security": _SECURITY,
        "parameters": [
            _query(
                "limit",
                {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
                "Accounts on a page",
            ),
            _query("cursor", {"type": "string"}, "`next_cursor` of the page before"),
            _query("domain", {"type": "string"}, "Only the account that has this domain"),
            _SEEN,
        ],
    },
}
GET: Final[dict[str, Any]] = {
    "summary": "Get a customer account",
    "responses": {200: _with_tag("It"), 304: {"description": "As it was"}, **_NOT_FOUND, **_REFUSED},
    "openapi_extra": {"security": _SECURITY, "parameters": [_SEEN]},
}
PUT: Final[dict[str, Any]] = {
    "summary": "Create or replace a customer account",
    "description": "The account is what is sent and nothing else: a field that is left out has its default. "
    "In force in all services within two seconds; what changes nothing makes no version.",
    "responses": {200: _with_tag("Replaced"), 201: _with_tag("Created"), **_NOT_TAKEN, **_REFUSED},
    "openapi_extra": {
        "security": _SECURITY,
        "parameters": [_MATCH, _NEW],
        "requestBody": _body("application/json", required=("name",)),
    },
}
PATCH: Final[dict[str, Any]] = {
    "summary": "Change fields of a customer account",
    "description": "JSON Merge Patch (RFC 7396): what is sent replaces, lists as a whole; null puts a field "
    "back to its default; the others stay.",
    "responses": {200: _with_tag("The whole account"), **_NOT_FOUND, **_NOT_TAKEN, **_REFUSED},
    "openapi_extra": {
        "security": _SECURITY,
        "parameters": [_MATCH],
        "requestBody": _body("application/merge-patch+json", "application/json", required=()),
    },
}
DELETE: Final[dict[str, Any]] = {
    "summary": "Remove a customer account",
    "description": "What was tagged with it keeps its id.",
    "status_code": 204,
    "responses": {204: _with_tag("Removed", None), **_NOT_FOUND, 412: _NOT_TAKEN[412], **_REFUSED},
    "openapi_extra": {"security": _SECURITY, "parameters": [_MATCH]},
}
