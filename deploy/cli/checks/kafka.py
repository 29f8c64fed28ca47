"""Kafka, its topics, and what could not be processed."""

from __future__ import annotations

from collections import Counter

from deploy.cli.checks.finding import Finding, State
from deploy.cli.letters import Choice, chosen
from deploy.cli.settings import CliSettings
from shared.bus.admin import describe
from shared.errors import DependencyDown


async def check(where: CliSettings) -> list[Finding]:
    servers = where.kafka.bootstrap_servers
    try:
        topics = await describe(where.kafka)
    except DependencyDown as error:
        remedy = f"is it running at {servers}? LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS says where to look"
        return [Finding("Kafka", State.WRONG, str(error), remedy)]
    found = [Finding("Kafka", State.OK, f"answers at {servers}")]
    absent = [topic.name for topic in topics if not topic.partitions]
    small = [topic.name for topic in topics if 0 < topic.partitions < topic.declared_partitions]
    if absent:
        found.append(Finding("topics", State.WRONG, f"missing: {', '.join(absent)}", "listeningpost topics"))
    if small:
        detail = f"fewer partitions than declared: {', '.join(small)}"
        found.append(
            Finding("topics", State.WRONG, detail, "`listeningpost topics` shows how many they need")
        )
    if not absent and not small:
        found.append(Finding("topics", State.OK, f"all {len(topics)} are there"))
        found.append(await _dead_letters(where))
    return found


async def _dead_letters(where: CliSettings) -> Finding:
    """They are no fault of the installation, so nothing fails; but somebody's words lie there unread."""
    try:
        waiting = await chosen(where.kafka, Choice())
    except DependencyDown as error:
        return Finding("dead letters", State.WRONG, str(error), "look again once Kafka answers")
    if not waiting:
        return Finding("dead letters", State.OK, "none waiting")
    reasons = Counter(letter.reason for letter in waiting)
    detail = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    remedy = "`listeningpost dead-letters` shows them; mend the cause, then `listeningpost replay`"
    return Finding("dead letters", State.WARNING, f"{len(waiting)} waiting: {detail}", remedy)
