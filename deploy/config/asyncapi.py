"""Writes docs/asyncapi.yaml: every topic, who sends and who reads it. `python -m deploy.config.asyncapi`.

FastStream's own document says of our topics that an array of binary comes in, since we read raw batches. So
this one is made of the declarations: `shared/events/topics.py`, and the committed schemas as payloads.
Sources: AsyncAPI 3.0.0; its Kafka bindings 0.5.0; CloudEvents 1.0, Kafka protocol binding.
"""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Any

import yaml

from shared.events.base import MAX_EVENT_BYTES, Event
from shared.events.topics import DLQ_PARTITIONS, TOPICS, Topic

_BINDING = "0.5.0"
_SCHEMA_FORMAT = "application/schema+json;version=2020-12"
_DAY_MS = 86_400_000
Document = dict[str, Any]

#: Who publishes what; a dead letter is written by whoever reads the topic.
SENT_BY: dict[str, tuple[str, ...]] = {
    topic.name: ("classifier",) if topic.name.startswith("feedback.classified") else ("ingest",)
    for topic in TOPICS
}
_HEADERS: Document = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "content-type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "The same for a redelivery of the same fact."},
        "ce_source": {"type": "string", "description": "The service that sent it."},
        "ce_type": {"type": "string", "description": "The name of the schema."},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context, from the door to the delivery."},
    },
}
_DEAD_LETTER_HEADERS: Document = {
    "type": "object",
    "properties": {
        "lp_reason": {"type": "string", "description": "From a closed list."},
        "lp_error": {"type": "string", "description": "Holds neither secrets nor feedback."},
        "lp_origin_topic": {"type": "string"},
        "lp_origin_partition": {"type": "string"},
        "lp_origin_offset": {"type": "string"},
        "lp_service": {"type": "string"},
        "lp_failed_at": {"type": "string", "format": "date-time"},
        "lp_replayed": {"type": "string", "description": "Of a marker: the position of what was put back."},
    },
}


def document() -> Document:
    """The document as AsyncAPI 3.0 has it. Payloads point to docs/schemas, beside which it lies."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:listeningpost",
        "info": {
            "title": "Listening Post: events",
            "version": metadata.version("listeningpost"),
            "description": (
                f"Each event is a Kafka record of at most {MAX_EVENT_BYTES} bytes: JSON, with CloudEvents "
                "attributes as headers (binary content mode). Readers must ignore fields they do not know, "
                "and expect an event more than once; ids and revisions order."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "kafka:9092",
                "pathname": "",
                "protocol": "kafka",
                "description": "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS",
            }
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages()},
    }


def render() -> str:
    """The whole file."""
    head = "# Written by `python -m deploy.config.asyncapi`; a test compares it with the declarations.\n"
    return head + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110)


def _message_name(kind: type[Event]) -> str:
    return kind.__name__


def _channels() -> Document:
    channels: Document = {}
    for topic in TOPICS:
        name = _message_name(topic.event)
        channels[topic.name] = {
            "address": topic.name,
            "description": " ".join((topic.event.__doc__ or "").partition("\n\n")[0].split()),
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {"kafka": _kafka(topic, topic.name, topic.partitions)},
        }
        channels[topic.dead_letters] = {
            "address": topic.dead_letters,
            "description": f"What could not be processed of {topic.name}, as it came. For the services only.",
            "messages": {"DeadLetter": {"$ref": "#/components/messages/DeadLetter"}},
            "bindings": {"kafka": _kafka(topic, topic.dead_letters, DLQ_PARTITIONS)},
        }
    return channels


def _kafka(topic: Topic, name: str, partitions: int) -> Document:
    return {
        "topic": name,
        "partitions": partitions,
        "topicConfiguration": {
            "cleanup.policy": ["delete"],
            "retention.ms": topic.retention_ms,
            "max.message.bytes": int(topic.config["max.message.bytes"]),
        },
        "bindingVersion": _BINDING,
    }


def _operations() -> Document:
    operations: Document = {}
    for topic in TOPICS:
        for service in SENT_BY[topic.name]:
            operations[f"{service}.sends.{topic.name}"] = _operation("send", topic)
        for group in topic.groups:
            reads = _operation("receive", topic)
            reads["bindings"] = {
                "kafka": {"groupId": {"type": "string", "const": group}, "bindingVersion": _BINDING}
            }
            operations[f"{group}.reads.{topic.name}"] = reads
    return operations


def _operation(action: str, topic: Topic) -> Document:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_message_name(topic.event)}"}],
    }


def _messages() -> Document:
    messages: Document = {}
    for kind in dict.fromkeys(topic.event for topic in TOPICS):
        messages[_message_name(kind)] = {
            "name": kind.type,
            "title": _message_name(kind),
            "contentType": "application/json",
            "headers": _HEADERS,
            "correlationId": {"location": "$message.header#/traceparent"},
            "payload": {
                "schemaFormat": _SCHEMA_FORMAT,
                "schema": {"$ref": f"./schemas/{kind.type}.json"},
            },
            "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _BINDING}},
        }
    messages["DeadLetter"] = {
        "name": "listeningpost.dead_letter",
        "title": "DeadLetter",
        "description": "The record as it was, bytes and headers, with headers that say why it lies here.",
        "contentType": "application/octet-stream",
        "headers": _DEAD_LETTER_HEADERS,
        "payload": {"type": "string", "format": "binary"},
    }
    return messages


if __name__ == "__main__":
    sys.stdout.write(render())
