"""What every channel promises its senders, tried on each through its own protocol."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from services.ingest.channels import CHANNELS
from shared.settings import LogSettings
from shared.telemetry import logging as telemetry_logging
from tests.support.channel_benches import BENCHES, Bench
from tests.support.doors import Doors, doors

SAID = "The tax line on my invoice is wrong and my password is hunter2hunter2"
#: Slack waits 3 s for its answer, and no sender should wait longer.
_DEADLINE_S = 3.0


def test_every_channel_is_tried() -> None:
    assert set(CHANNELS) == set(BENCHES)


@pytest.fixture(params=sorted(CHANNELS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[Doors]:
    async with doors(tmp_path, slack={"max_body_bytes": 200_000}) as opened:
        yield opened


@pytest.fixture
def bench(name: str, house: Doors) -> Bench:
    return BENCHES[name](house)


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Logging is of the whole process: as it was before, also for the tests after these."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


async def test_what_is_answered_as_kept_is_kept_and_within_the_deadline(
    bench: Bench, house: Doors, name: str
) -> None:
    began = time.monotonic()
    said = await bench.send("The invoice is wrong.")
    assert time.monotonic() - began < _DEADLINE_S
    assert said.code == bench.kept
    channel = getattr(bench, "channel", name)
    assert [(event.channel, event.text) for event in house.events] == [(channel, "The invoice is wrong.")]


async def test_the_same_thing_sent_again_is_the_same_piece(bench: Bench, house: Doors) -> None:
    for number in (1, 1, 2):
        assert (await bench.send("The invoice is wrong.", number)).code == bench.kept
    *same, other = house.events
    assert len({(event.feedback_id, event.revision) for event in same}) == 1
    assert other.feedback_id != same[0].feedback_id


async def test_who_may_not_send_is_refused(bench: Bench, house: Doors) -> None:
    assert (await bench.pretend(SAID)).code == bench.refused
    assert not house.events
    assert not house.aside


async def test_what_cannot_be_read_is_refused_or_kept_aside_never_lost(bench: Bench, house: Doors) -> None:
    said = await bench.garble(SAID)
    assert not house.events
    if bench.keeps_aside:
        assert said.code == bench.kept
        assert len(house.aside) == 1
    else:
        assert 400 <= said.code < 500


async def test_what_is_beyond_every_bound_is_refused(bench: Bench, house: Doors) -> None:
    assert (await bench.overdo(SAID)).code == bench.too_large
    assert not house.events
    assert (await bench.send("The next one is taken.")).code == bench.kept


async def test_with_the_broker_away_it_is_kept_on_disk(bench: Bench, house: Doors) -> None:
    house.parts.kafka.away = house.parts.memory.away = True
    assert (await bench.send("The invoice is wrong.")).code == bench.kept
    assert house.parts.spool.records == 1


async def test_what_cannot_be_kept_is_asked_for_again(bench: Bench, house: Doors) -> None:
    house.parts.kafka.away = house.parts.memory.away = True
    await house.parts.spool.stop()
    assert (await bench.send("The invoice is wrong.")).code == bench.later
    assert (await bench.garble(SAID)).code in (bench.later, 400)


@pytest.mark.usefixtures("logging_restored")
async def test_neither_answers_nor_logs_repeat_what_was_sent_or_any_secret(
    capsys: pytest.CaptureFixture[str], bench: Bench, house: Doors
) -> None:
    telemetry_logging.configure(LogSettings(level="debug", format="json"), "ingest")
    told = [await attempt(SAID) for attempt in (bench.send, bench.pretend, bench.garble, bench.overdo)]
    await house.parts.spool.stop()
    house.parts.kafka.away = house.parts.memory.away = True
    told.append(await bench.send(SAID, 2))
    captured = capsys.readouterr()
    assert captured.out
    everything = captured.out + captured.err + "".join(said.text for said in told)
    for secret in ("hunter2", "tax line", "nowhere.example", *bench.secrets):
        assert secret not in everything


async def test_it_stops_cleanly_and_twice(house: Doors, name: str) -> None:
    (channel,) = [channel for channel in house.channels if channel.name == name]
    assert channel.problem() is None
    await channel.stop()
    await channel.stop()
