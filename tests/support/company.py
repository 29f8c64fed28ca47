"""A small company and pieces about it, for tests of who is told and how."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.domain.workspace import Workspace, faults
from shared.events.feedback import (
    Cause,
    Change,
    FeedbackClassified,
    LensTag,
    Mode,
    Polarity,
    ReplyTo,
    Speaker,
    Tags,
    TouchpointTag,
    Urgency,
    Weight,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

COMPANY: dict[str, Any] = {
    "name": "Brightline",
    "domains": ["brightline.example"],
    "triage_owner": "tess",
    "departments": [
        {"id": "product", "name": "Product", "lens": "management"},
        {"id": "support", "name": "Support", "lens": "consulting_support"},
        {"id": "sales", "name": "Sales", "lens": "sales_marketing"},
        {"id": "finance", "name": "Finance", "lens": "finance_legal"},
    ],
    "people": [
        {"id": "pia", "name": "Pia Portal", "department": "product", "emails": ["pia@brightline.example"]},
        {
            "id": "oscar",
            "name": "Oscar Owner",
            "department": "product",
            "emails": ["oscar@brightline.example"],
            "slack_ids": ["U0OSCAR"],
        },
        {"id": "tess", "name": "Tess Triage", "department": "product", "emails": ["tess@brightline.example"]},
        {"id": "ann", "name": "Ann Quote", "department": "sales", "emails": ["ann@brightline.example"]},
        {"id": "ben", "name": "Ben Order", "department": "sales", "slack_ids": ["U0BEN"]},
        {
            "id": "cleo",
            "name": "Cléo Active",
            "department": "support",
            "emails": ["cleo@brightline.example", "cleo.old@brightline.example"],
        },
        {"id": "dan", "name": "Dan Bill", "department": "finance", "emails": ["dan@brightline.example"]},
        {
            "id": "eve",
            "name": "Eve Account",
            "department": "sales",
            "emails": ["eve@brightline.example"],
        },
        {
            "id": "fay",
            "name": "Fay Finance",
            "department": "finance",
            "emails": ["fay@brightline.example"],
            "subscriptions": [{"lens": "finance_legal", "min_score": 0.6, "min_weight": 1.5}],
        },
        {
            "id": "gus",
            "name": "Gus Design",
            "department": "support",
            "emails": ["gus@brightline.example"],
            "subscriptions": [{"lens": "design", "min_score": 0.3}, {"lens": "development"}],
        },
        {"id": "hal", "name": "Hal Silent", "department": "support"},
    ],
    "products": [
        {
            "id": "connect",
            "name": "Connect",
            "pm": "pia",
            "stages": [
                {
                    "id": "buy",
                    "name": "Buying",
                    "touchpoints": [
                        {"id": "quote", "name": "Quote", "agents": ["ann"]},
                        {"id": "ordering", "name": "Ordering", "agents": ["ben", "ann"]},
                    ],
                },
                {
                    "id": "use",
                    "name": "Using",
                    "touchpoints": [
                        {"id": "activation", "name": "Activation", "owner": "oscar", "agents": ["cleo"]},
                        {"id": "invoice", "name": "Invoice", "agents": ["dan"]},
                        {"id": "goodbye", "name": "Goodbye"},
                    ],
                },
            ],
        },
        {
            "id": "portal",
            "name": "Portal",
            "pm": "oscar",
            "stages": [
                {"id": "web", "name": "Web", "touchpoints": [{"id": "login", "name": "Login"}]},
            ],
        },
    ],
    "segments": [{"id": "enterprise", "name": "Enterprise"}],
    "accounts": [
        {
            "id": "acme",
            "name": "Acme",
            "domains": ["acme.example"],
            "owner": "eve",
            "segment": "enterprise",
        },
        {"id": "orphan", "name": "Orphan", "domains": ["orphan.example"]},
    ],
}


def directory(version: int = 1, **changes: Any) -> Directory:  # noqa: ANN401 - what YAML holds
    """Brightline, with some of its declarations replaced; sound unless the test says otherwise."""
    workspace = Workspace.model_validate({**COMPANY, **changes})
    assert faults(workspace) == ()
    return Directory(workspace, version)


def piece(
    touchpoints: tuple[str, ...] | dict[str, float] = ("ordering",),
    *,
    polarity: str = "neutral",
    lenses: dict[str, float] | None = None,
    products: tuple[str, ...] = (),
    weight: float = 1.0,
    reasons: tuple[str, ...] = (),
    triage: bool = False,
    by: str = "stranger",
    by_account: str | None = None,
    spoken_for: str | None = None,
    for_account: str | None = None,
    tags: dict[str, Any] | None = None,
    **fields: Any,  # noqa: ANN401 - the event's own fields
) -> FeedbackClassified:
    """A classified piece; what is not given is ordinary: live, of this minute, not urgent."""
    scores = touchpoints if isinstance(touchpoints, dict) else dict.fromkeys(touchpoints, 0.8)
    speaker = None
    if spoken_for is not None or for_account is not None:
        speaker = Speaker(person_id=spoken_for or "customer", display_name="Cora", account=for_account)
    values: dict[str, Any] = {
        "feedback_id": "f-1",
        "revision": 1,
        "change": Change.CREATED,
        "mode": Mode.LIVE,
        "channel": "api",
        "source": "test",
        "title": "",
        "text": "The order form is slow.",
        "reported_by": Speaker(person_id=by, display_name="Sam", account=by_account),
        "spoken_for": speaker,
        "occurred_at": NOW,
        "received_at": NOW,
        "classified_at": NOW,
        "cause": Cause.RECEIVED,
        "tag_revision": 1,
        "tags": Tags(
            **{
                "products": products,
                "touchpoints": tuple(TouchpointTag(id=i, score=score) for i, score in scores.items()),
                "lenses": tuple(LensTag(id=Lens(i), score=score) for i, score in (lenses or {}).items()),
                "polarity": Polarity(polarity),
                "urgency": Urgency.URGENT if reasons else Urgency.NORMAL,
                "urgency_reasons": reasons,
                "weight": Weight(value=weight),
                "needs_triage": triage,
                **(tags or {}),
            }
        ),
    }
    return FeedbackClassified(**(values | fields))


def mail_reply(**fields: Any) -> ReplyTo:  # noqa: ANN401 - the model's own fields
    """An address to answer, as the mail channel leaves it."""
    return ReplyTo(
        **({"receiver": "email", "address": "cora@acme.example", "thread": "<m1@acme.example>"} | fields)
    )
