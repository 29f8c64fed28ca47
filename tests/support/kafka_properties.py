"""The configuration of an Apache Kafka node in KRaft mode, broker and controller in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.ports import LOOPBACK

# 16 bytes in URL-safe base64. Always the same: of random ones every 64th starts with "-", like an option.
CLUSTER_ID = "bGlzdGVuaW5ncG9zdC0wMQ"
_MAX_REPLICAS = 3


@dataclass(frozen=True, slots=True)
class KafkaNode:
    node_id: int
    port: int
    controller_port: int
    log_dir: Path


def node_properties(node: KafkaNode, quorum: Sequence[KafkaNode]) -> dict[str, object]:
    """What stands in `server.properties`. `quorum` holds all nodes, this one included."""
    replicas = min(_MAX_REPLICAS, len(quorum))
    in_sync = max(1, replicas - 1)
    voters = ",".join(f"{each.node_id}@{LOOPBACK}:{each.controller_port}" for each in quorum)
    return {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{node.port},CONTROLLER://{LOOPBACK}:{node.controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{node.port}",
        "log.dirs": node.log_dir,
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        # A topic that nobody declared is a mistake, here as in production.
        "auto.create.topics.enable": "false",
        # What follows is for a quick start and for little memory.
        "group.initial.rebalance.delay.ms": 0,
        # Tests that kill a consumer want to see its work taken over soon; the default is 6 s.
        "group.min.session.timeout.ms": 1_000,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
        # A broker that was killed may come back at once, instead of after the default session of 9 s.
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3_000,
    }
