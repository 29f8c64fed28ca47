"""Kafka: what it can do, its topics, how far behind its readers are, and what could not be processed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from deploy.cli.checks.finding import Finding, State
from deploy.cli.letters import Choice, chosen
from deploy.cli.settings import CliSettings
from shared.bus.admin import TopicState, describe, retentions_ms
from shared.bus.condition import Cluster, Lag, cluster, lags, retentions
from shared.errors import DependencyDown
from shared.settings import KafkaSettings

_DAY_MS = 86_400_000
#: At a hundred pieces a second, the load this is built for, half a minute's.
_MUCH_BEHIND = 3_000


async def check(where: CliSettings) -> list[Finding]:
    servers = where.kafka.bootstrap_servers
    try:
        topics = await describe(where.kafka)
        found = [_cluster(await cluster(where.kafka), where.kafka), *topic_findings(topics)]
        found += retention_findings(await retentions(where.kafka), where.kafka)
        if all(topic.partitions for topic in topics):
            found += lag_findings(await lags(where.kafka))
            found.append(await _dead_letters(where))
    except DependencyDown as error:
        remedy = f"is it running at {servers}? LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS says where to look"
        return [Finding("Kafka", State.WRONG, str(error), remedy)]
    return found


def _cluster(found: Cluster, settings: KafkaSettings) -> Finding:
    """A broker that cannot do what the producer is told to ask for lets no service start."""
    brokers = f"{found.brokers} broker{'s' * (found.brokers != 1)}"
    detail = f"answers at {settings.bootstrap_servers}: {brokers}, cluster {found.name or 'without a name'}"
    if settings.idempotence and not found.knows_idempotence:
        remedy = "LISTENINGPOST_KAFKA__IDEMPOTENCE=false for every service, or use Apache Kafka"
        return Finding("Kafka", State.WRONG, f"{detail}; it knows no idempotent producers", remedy)
    if found.brokers < settings.replication_factor:
        remedy = "start more brokers, or lower LISTENINGPOST_KAFKA__REPLICATION_FACTOR"
        copies = f"{settings.replication_factor} copies of a topic need as many brokers"
        return Finding("Kafka", State.WRONG, f"{detail}; {copies}", remedy)
    return Finding("Kafka", State.OK, detail)


def topic_findings(topics: Sequence[TopicState]) -> list[Finding]:
    absent = [topic.name for topic in topics if not topic.partitions]
    small = [topic for topic in topics if 0 < topic.partitions < topic.declared_partitions]
    found = []
    if absent:
        found.append(Finding("topics", State.WRONG, f"missing: {', '.join(absent)}", "listeningpost topics"))
    if small:
        detail = f"fewer partitions than declared: {', '.join(topic.name for topic in small)}"
        command = " && ".join(
            f"kafka-topics --alter --topic {topic.name} --partitions {topic.declared_partitions}"
            for topic in small
        )
        found.append(Finding("topics", State.WRONG, detail, command))
    return found or [Finding("topics", State.OK, f"all {len(topics)} are there")]


def retention_findings(kept_ms: Mapping[str, int], settings: KafkaSettings) -> list[Finding]:
    """Longer than declared breaks the promise on erasure; shorter loses what one who is away has to read."""
    declared, prefix = retentions_ms(settings), settings.topic_prefix
    found = []
    for name, milliseconds in kept_ms.items():
        wanted_ms = declared[name]
        if milliseconds == wanted_ms:
            continue
        longer = wanted_ms >= 0 and (milliseconds < 0 or milliseconds > wanted_ms)
        detail = f"{name} keeps its records {_span(milliseconds)}, {_span(wanted_ms)} are declared"
        command = (
            f"kafka-configs --alter --entity-type topics --entity-name {prefix}{name} "
            f"--add-config retention.ms={wanted_ms}"
        )
        found.append(Finding("retention", State.WRONG if longer else State.WARNING, detail, command))
    if not found and kept_ms:
        found.append(Finding("retention", State.OK, "as declared"))
    return found


def _span(milliseconds: int) -> str:
    return "for ever" if milliseconds < 0 else f"{milliseconds / _DAY_MS:g} days"


def lag_findings(found: Sequence[Lag]) -> list[Finding]:
    behind = [lag for lag in found if lag.behind > _MUCH_BEHIND or (lag.behind and not lag.is_known)]
    if not behind:
        most = max((lag.behind for lag in found), default=0)
        return [Finding("lag", State.OK, f"nobody is far behind (at most {most})")]
    return [
        Finding(
            "lag",
            State.WARNING,
            f"{lag.group} is {lag.behind} records of {lag.topic} behind"
            + ("" if lag.is_known else ", and has never read it"),
            f"is it running and ready? More replicas share the work: docker compose up --scale "
            f"{lag.group.partition('-')[0]}=2",
        )
        for lag in behind
    ]


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
