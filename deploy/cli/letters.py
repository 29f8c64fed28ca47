"""Choosing dead letters: what `dead-letters` and `replay` have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from deploy.cli import complete
from deploy.cli.moments import moment
from deploy.cli.output import ExitCode, Failed
from shared import clock
from shared.bus.dead_letters import DeadLetter, list_dead_letters
from shared.errors import Reason
from shared.events.topics import DLQ_SUFFIX, TOPICS
from shared.settings import KafkaSettings

TopicOption = Annotated[
    str | None,
    typer.Option(
        "--topic", help="Only of this topic, like feedback.received.v1.", autocompletion=complete.topics
    ),
]
ReasonOption = Annotated[Reason | None, typer.Option("--reason", help="Only those with this reason.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="Only from then on: 2h, 3d, or a time.")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Only until then: 30m, or a time.")]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which ones; None takes all. `replayed` takes those as well that were put back already."""

    topic: str | None = None
    reason: Reason | None = None
    since: datetime | None = None
    until: datetime | None = None
    replayed: bool = False

    def takes(self, letter: DeadLetter) -> bool:
        """One whose time is not known is taken only where no time is asked for."""
        if letter.replayed and not self.replayed:
            return False
        if self.reason is not None and letter.reason != self.reason:
            return False
        if self.since is None and self.until is None:
            return True
        failed_at = letter.failed_at
        return (
            failed_at is not None
            and (self.since is None or failed_at >= self.since)
            and (self.until is None or failed_at <= self.until)
        )


def choose(topic: str | None, reason: Reason | None, since: str | None, until: str | None) -> Choice:
    """Raises Failed for a topic that is not ours or a time that is none."""
    known = [declared.name for declared in TOPICS]
    name = topic.removesuffix(DLQ_SUFFIX) if topic else None
    if name is not None and name not in known:
        raise Failed(f"there is no topic {name!r}", f"there are {', '.join(known)}", ExitCode.USAGE)
    now = clock.now()
    return Choice(name, reason, moment(since, now), moment(until, now))


async def chosen(kafka: KafkaSettings, choice: Choice) -> list[DeadLetter]:
    """Raises DependencyDown."""
    topics = [choice.topic] if choice.topic else []
    return [letter async for letter in list_dead_letters(kafka, topics) if choice.takes(letter)]


def counts(letters: Sequence[DeadLetter]) -> list[tuple[str, str, int]]:
    """(topic, reason, how many), the most frequent first."""
    counted = Counter((letter.origin_topic, letter.reason) for letter in letters)
    return [(topic, reason, count) for (topic, reason), count in counted.most_common()]
