"""The embedded stack as a whole: real mongod, real broker, real processes."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.embedded.errors import ChildDied, EmbeddedError
from deploy.embedded.output import Merger
from deploy.embedded.stack import EmbeddedStack, Service
from tests.support import kafka_probe
from tests.support.embedded_broker import EmbeddedBroker
from tests.support.mongo_server import MongoServer
from tests.support.wait import until

STAND_IN = Path(__file__).parent.parent / "support" / "stand_in_service.py"


def stand_in(name: str) -> Service:
    return Service(name, argv=(sys.executable, str(STAND_IN)))


async def fetch(url: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url)


async def test_database_is_a_writable_primary_with_change_streams() -> None:
    async with EmbeddedStack() as stack:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(stack.mongo_uri)
        try:
            hello = await client.admin.command("hello")
            assert hello["isWritablePrimary"]
            async with client.test.pieces.watch() as changes:
                await client.test.pieces.insert_one({"_id": 1})
                assert (await changes.next())["operationType"] == "insert"
        finally:
            client.close()


async def test_what_is_produced_is_consumed_with_its_headers() -> None:
    async with EmbeddedStack() as stack:
        await kafka_probe.declare(stack.kafka_bootstrap, "pieces")
        await kafka_probe.say(stack.kafka_bootstrap, "pieces", b"the invoice", headers=[("ce_type", b"test")])
        (record,) = await kafka_probe.hear(stack.kafka_bootstrap, "pieces", 1)
    assert record.value == b"the invoice"
    assert list(record.headers) == [("ce_type", b"test")]


async def test_services_get_their_settings_and_a_port() -> None:
    stack = EmbeddedStack(
        services=[stand_in("ingest"), stand_in("console")], env={"EXTRA": "1"}, prepare=_prepare
    )
    async with stack:
        seen = {name: (await fetch(stack.url(name))).json() for name in ("ingest", "console")}
    for name, env in seen.items():
        assert env["LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS"] == stack.kafka_bootstrap
        assert env["LISTENINGPOST_KAFKA__IDEMPOTENCE"] == "false"
        assert env["LISTENINGPOST_MONGO__URI"] == stack.mongo_uri
        assert env["LISTENINGPOST_MONGO__DATABASE"] == "listeningpost"
        assert env["LISTENINGPOST_HTTP__HOST"] == "127.0.0.1"
        assert env["LISTENINGPOST_HTTP__PORT"] == str(stack.ports[name])
        assert env["LISTENINGPOST_LOG__FORMAT"] == "json"
        assert (env["EXTRA"], env["PREPARED"]) == ("1", stack.mongo_uri)
    assert stack.ports["ingest"] != stack.ports["console"]


async def _prepare(stack: EmbeddedStack) -> dict[str, str]:
    return {"PREPARED": stack.mongo_uri}


async def test_servers_of_the_users_own_are_used_and_trusted_with_idempotence() -> None:
    stack = EmbeddedStack(services=[stand_in("ingest")], kafka="broker.test:9092", mongo="mongodb://db.test")
    async with stack:
        env = (await fetch(stack.url("ingest"))).json()
    assert env["LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS"] == "broker.test:9092"
    assert env["LISTENINGPOST_MONGO__URI"] == "mongodb://db.test"
    assert "LISTENINGPOST_KAFKA__IDEMPOTENCE" not in env


async def test_the_output_is_one_readable_stream_and_says_what_is_lost_at_the_end() -> None:
    stream = io.StringIO()
    async with EmbeddedStack(services=[stand_in("ingest")], output=Merger(stream, colour=False)):
        pass
    lines = stream.getvalue().splitlines()
    assert "ingest     | info    service_started version=1.2.3" in lines
    assert any("keeps nothing after it stops" in line for line in lines)
    assert not any(line.startswith("mongod") for line in lines)


async def test_a_data_directory_keeps_the_documents_though_the_port_changes(tmp_path: Path) -> None:
    uris: list[str] = []
    counts: list[int] = []
    for _ in range(2):
        async with EmbeddedStack(data_dir=tmp_path, kafka="unused") as stack:
            uris.append(stack.mongo_uri)
            client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(stack.mongo_uri)
            try:
                await client.test.runs.insert_one({})
                counts.append(await client.test.runs.count_documents({}))
            finally:
                client.close()
    assert uris[0] != uris[1]
    assert counts == [1, 2]


async def test_the_death_of_a_child_is_told_and_stops_the_rest() -> None:
    stack = EmbeddedStack(services=[stand_in("ingest"), stand_in("console")])

    async def let_ingest_die() -> None:
        async with stack:
            with pytest.raises(httpx.RemoteProtocolError):
                await fetch(f"{stack.url('ingest')}/die")
            await stack.children.wait_for_death()
            assert not any(stack.children[name].running for name in ("mongod", "broker", "console"))

    with pytest.raises(ChildDied, match=r"ingest died \(exit code 3\)(.|\n)*the disk is on fire") as caught:
        await let_ingest_die()
    assert caught.value.name == "ingest"


async def test_a_death_is_noted_on_the_error_that_it_caused() -> None:
    async def fail_because_of_it() -> None:
        async with EmbeddedStack() as stack:
            os.kill(stack.children["broker"].pid, signal.SIGKILL)
            await stack.children.wait_for_death()
            raise ConnectionError("no broker")

    with pytest.raises(ConnectionError) as caught:
        await fail_because_of_it()
    assert caught.value.__notes__[0].startswith("broker died (killed by SIGKILL)")


async def test_a_child_killed_on_purpose_is_no_death_and_comes_back() -> None:
    async with EmbeddedStack(services=[stand_in("ingest")]) as stack:
        await stack.children["ingest"].kill()
        stack.children.start("ingest")
        await stack.ready("ingest")
        assert stack.children.death is None


async def test_a_service_that_cannot_start_stops_everything_at_once() -> None:
    broken = Service("ingest", argv=(sys.executable, "-c", "raise SystemExit('no such setting')"))
    stack = EmbeddedStack(services=[broken])
    with pytest.raises(ChildDied, match="no such setting"):
        await stack.__aenter__()
    assert not stack.children["mongod"].running
    assert not stack.children["broker"].running


async def test_a_second_stack_on_the_same_data_says_why_not(tmp_path: Path) -> None:
    async with EmbeddedStack(data_dir=tmp_path, kafka="unused"):
        with pytest.raises(EmbeddedError, match=r"mongod died \(exit code 100\)(.|\n)*lock"):
            await EmbeddedStack(data_dir=tmp_path, kafka="unused").__aenter__()


async def test_killing_the_parent_leaves_no_orphan(tmp_path: Path) -> None:
    async with _supervisor_process(tmp_path) as process:
        children = await _children_when_ready(process)
        process.kill()
        await process.wait()
        await until(lambda: not any(map(_alive, children)), within_s=5, what="the children are gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stop_from_outside_stops_all_and_is_no_failure(
    number: signal.Signals, tmp_path: Path
) -> None:
    async with _supervisor_process(tmp_path) as process:
        children = await _children_when_ready(process)
        process.send_signal(number)
        assert await process.wait() == 0
        assert not any(map(_alive, children))
    assert not _databases(tmp_path)


async def test_the_death_of_a_child_is_the_exit_code_of_the_process(tmp_path: Path) -> None:
    async with _supervisor_process(tmp_path) as process:
        children = await _children_when_ready(process)
        os.kill(children[-1], signal.SIGKILL)
        rest = (await _output(process).read()).decode()
        assert await process.wait() == 1
    assert "broker died (killed by SIGKILL)" in rest


async def test_mongod_survives_kill_pause_and_restart_with_its_data() -> None:
    async with MongoServer() as mongo:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(mongo.uri)
        try:
            await client.test.kept.insert_one({"_id": 1})
            await mongo.kill()
            await mongo.start()
            assert await client.test.kept.count_documents({}) == 1
            mongo.pause()
            asking = asyncio.ensure_future(client.test.kept.count_documents({}))
            done, _ = await asyncio.wait({asking}, timeout=0.2)
            assert not done
            mongo.resume()
            assert await asking == 1
        finally:
            client.close()


async def test_the_embedded_broker_forgets_when_it_is_killed(topic_prefix: str) -> None:
    topic = f"{topic_prefix}pieces"
    async with EmbeddedBroker() as broker:
        await kafka_probe.declare(broker.bootstrap, topic)
        assert await kafka_probe.say(broker.bootstrap, topic, b"1", b"2") == [0, 1]
        await broker.kill()
        await broker.start()
        await kafka_probe.declare(broker.bootstrap, topic)
        assert await kafka_probe.say(broker.bootstrap, topic, b"3") == [0]


@asynccontextmanager
async def _supervisor_process(directory: Path) -> AsyncIterator[Process]:
    """`directory` takes what a killed one leaves behind."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": str(directory)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.embedded", stdout=PIPE, env=env
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await _output(process).read()
        await process.wait()


async def _children_when_ready(process: Process) -> list[int]:
    """Their process ids, in the order in which they were started."""
    async with asyncio.timeout(30):
        while b"LISTENINGPOST_MONGO__URI" not in await _output(process).readline():
            pass
    children = _children(process.pid)
    assert len(children) == 2
    return children


def _databases(directory: Path) -> list[Path]:
    return list(directory.glob("listeningpost-*/mongo"))


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def _output(process: Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout


def _alive(pid: int) -> bool:
    """A zombie, whose parent has yet to fetch its exit, is not alive."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False
    return re.search(r"^State:\s+Z", status, re.MULTILINE) is None
