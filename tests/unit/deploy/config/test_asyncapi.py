"""docs/asyncapi.yaml says what the declarations say, in the form AsyncAPI 3.0 has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import yaml
from faststream.specification.asyncapi import AsyncAPI
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

from deploy.config.asyncapi import SENT_BY, document, render
from deploy.config.schemas import schemas
from services.classifier.settings import ClassifierSection
from services.classifier.subscriptions import subscriptions as of_classifier
from services.ingest.subscriptions import subscriptions as of_ingest
from services.notifier.pipeline import Pipeline
from services.notifier.subscriptions import subscriptions as of_notifier
from shared.bus.consumer import Consumer
from shared.bus.publisher import Publisher
from shared.bus.subscription import Outcome, Subscription
from shared.events.topics import TOPICS
from shared.settings import KafkaSettings

_DOCS = Path(__file__).parents[4] / "docs"
_COMMITTED = _DOCS / "asyncapi.yaml"


async def nothing(_: Sequence[Any]) -> Sequence[Outcome]:
    return []


def subscribed() -> list[Subscription]:
    """What the services really read."""
    notifier = of_notifier(cast("Pipeline", SimpleNamespace(tell=nothing)))
    return [*of_classifier(nothing, ClassifierSection()), *of_ingest(nothing), *notifier]


def test_the_committed_one_is_that_of_the_declarations() -> None:
    committed = _COMMITTED.read_text(encoding="utf-8")
    assert committed == render(), "write it anew: python -m deploy.config.asyncapi > docs/asyncapi.yaml"
    assert yaml.safe_load(committed) == document()


def test_it_has_the_form_of_asyncapi_3() -> None:
    """As FastStream models it: fields, their types, and what is required."""
    read = ApplicationSchema.model_validate(document())
    assert read.asyncapi == "3.0.0"
    assert set(read.channels) == {name for topic in TOPICS for name in (topic.name, topic.dead_letters)}


def refs(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from refs(inner)


def test_every_reference_leads_somewhere() -> None:
    whole = document()
    found = list(refs(whole))
    assert found
    for ref in found:
        if ref.startswith("#/"):
            target: Any = whole
            for step in ref.removeprefix("#/").split("/"):
                target = target[step]
            assert target
        else:
            assert (_DOCS / ref).is_file(), ref


def test_each_payload_is_the_committed_schema_of_its_event() -> None:
    messages = document()["components"]["messages"]
    for topic in TOPICS:
        payload = messages[topic.event.__name__]["payload"]["schema"]
        committed = (_DOCS / payload["$ref"]).read_text(encoding="utf-8")
        assert committed == schemas()[f"{topic.event.type}.json"]
        declared = topic.event.model_json_schema(mode="validation")
        assert json.loads(committed)["properties"] == declared["properties"]


def test_who_reads_is_who_subscribes() -> None:
    operations = document()["operations"]
    reading = {
        (one["channel"]["$ref"].removeprefix("#/channels/"), one["bindings"]["kafka"]["groupId"]["const"])
        for one in operations.values()
        if one["action"] == "receive"
    }
    assert reading == {(one.topic.name, one.group) for one in subscribed()}
    assert set(SENT_BY) == {topic.name for topic in TOPICS}


def test_partitions_and_retention_are_the_declared_ones() -> None:
    channels = document()["channels"]
    for topic in TOPICS:
        kafka = channels[topic.name]["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert str(kafka["topicConfiguration"]["retention.ms"]) == topic.config["retention.ms"]


def test_faststreams_own_document_would_say_array_of_binary() -> None:
    """Why this one is made by hand. When FastStream says what is in a raw batch, this test may go."""
    settings = KafkaSettings()
    consumer = Consumer(settings, subscribed(), Publisher(settings, "tests"), "tests")
    whole = AsyncAPI(consumer._connect(subscribed()[0])).to_specification().to_jsonable()
    assert whole["components"]["messages"]
    for message in whole["components"]["messages"].values():
        payload = whole["components"]["schemas"][message["payload"]["$ref"].rpartition("/")[2]]
        assert payload["type"] == "array"
        record = whole["components"]["schemas"][payload["items"]["$ref"].rpartition("/")[2]]
        assert {"format": "binary", "type": "string"} in record["properties"]["value"]["anyOf"]
