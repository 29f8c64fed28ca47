"""What a door said to whoever stood before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.demo.pieces import Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """`said` is the door's answer in brief; `name` what the piece is called there, to edit or repeat it.

    `feedback_ids` has the receipts of a door that gives them; `problem` the document of one that refuses.
    """

    outcome: Outcome
    said: str
    sent_at: datetime
    name: str = ""
    raw: bytes = b""
    feedback_ids: tuple[str, ...] = ()
    problem: dict[str, Any] = field(default_factory=dict)
