"""How `POST /v1/feedback` is described in /openapi.json: the route reads raw bytes, so it must say so."""

from __future__ import annotations

from typing import Any, Final

from services.ingest.domain.rest.answer import ItemResult, Results
from services.ingest.domain.rest.item import Item
from shared.http.openapi import inlined, refusal

_ITEM = inlined(Item.model_json_schema())

ROUTE_DOCUMENTATION: Final[dict[str, Any]] = {
    "summary": "Send feedback",
    "description": "One item, an array of items, or NDJSON with an item a line. 202 means kept: it survives "
    "the loss of any one machine. One bad item never costs a good neighbour: each has its own result, in "
    "order. Sent again with the same `external_id`, or `Idempotency-Key` and body, it is the same piece.",
    "status_code": 202,
    "response_model": None,
    "responses": {
        202: {"model": Results | ItemResult, "description": "All of it is kept"},
        207: {"model": Results, "description": "Some of it is kept; see each result"},
        400: refusal("Not JSON; the detail names line and column"),
        401: refusal("The API key is missing, unknown, expired or revoked"),
        403: refusal("The API key lacks the scope"),
        413: refusal("The body, or something in it, is too large"),
        415: refusal("Neither JSON nor NDJSON, or not UTF-8"),
        422: refusal("Nothing of it can be taken; the pointer names the field"),
        503: refusal("Nothing of it can be kept just now; see Retry-After"),
    },
    "openapi_extra": {
        "security": [{"apiKey": []}],
        "parameters": [
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": False,
                "schema": {"type": "string", "maxLength": 255},
                "description": "The same key and body within 24 hours: the same answer. Another body: 422.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_ITEM, {"type": "array", "minItems": 1, "items": _ITEM}]}
                },
                "application/x-ndjson": {"schema": _ITEM},
            },
        },
    },
}
