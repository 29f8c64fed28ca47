"""How `POST /v1/notes` is described in /openapi.json."""

from __future__ import annotations

from typing import Any, Final

from services.ingest.domain.note.note import Note
from services.ingest.domain.rest.answer import ItemResult
from shared.http.openapi import inlined, refusal

ROUTE_DOCUMENTATION: Final[dict[str, Any]] = {
    "summary": "Send a note of a conversation",
    "description": "What a colleague heard in a talk, a call, a lunch, a training or a user test. Who "
    "reports is whose key it is, else `by`. They are answered as everybody is; 202 means kept. Sent again "
    "with the same `Idempotency-Key` and body, it is the same note.",
    "status_code": 202,
    "response_model": None,
    "responses": {
        202: {"model": ItemResult, "description": "It is kept"},
        400: refusal("Not JSON; the detail names line and column"),
        401: refusal("The API key is missing, unknown, expired or revoked"),
        403: refusal("The API key lacks the scope notes:write, or is another colleague's"),
        413: refusal("The body, or something in it, is too large"),
        415: refusal("Not JSON"),
        422: refusal("It cannot be taken; the pointer names the field"),
        503: refusal("It cannot be kept just now; see Retry-After"),
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
            "content": {"application/json": {"schema": inlined(Note.model_json_schema())}},
        },
    },
}
