"""The compose file as operators run it: built, started, used, restarted under load, stopped, taken away.

`make compose-test`. One story, told once: each test goes on where the one before ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.embedded.ports import lease_port
from tests.e2e.images.__main__ import CannotStandIn, provide, upstream
from tests.support import compose, compose_books
from tests.support.compose import SERVERS, SERVICES, Project, Start
from tests.support.tree import ROOT
from tests.support.wait import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(900)]

_READY_WITHIN_S = 5.0
_PATIENCE_S = 120.0
_MOST_MB = {"ingest": 200, "notifier": 200, "console": 200, "classifier": 500}
_DOORS = 8
_SIGKILL = 137
_TAG = f"test-{os.getpid()}"
_WEBHOOK = """
webhooks:
  - id: survey
    source: survey-after-installation
    channel: survey
    verify: {scheme: standard-webhooks, secret: "secret:survey_hook"}
    map: {text: answers.comment, external_id: id}
"""


@dataclass
class Report:
    """What is printed at the end, in the order it was found."""

    lines: list[str] = field(default_factory=list)

    def add(self, what: str, found: str) -> None:
        self.lines.append(f"{what:<42} {found}")


@dataclass
class Traffic:
    """One piece after the other, until it is told to stop. `accepted` are those the door said 202 to."""

    url: str
    key: str
    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        number = 0
        with httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}) as http:
            # An event that nobody sets is how it keeps its pace.
            while not self._stop.wait(0.05):
                number += 1
                name = f"under-load-{number}"
                try:
                    answer = http.post(
                        "/v1/feedback", json={"text": f"Bill {number} is wrong.", "external_id": name}
                    )
                except httpx.TransportError:
                    self.refused += 1
                    continue
                if answer.status_code == HTTPStatus.ACCEPTED:
                    self.accepted.append(name)
                else:
                    self.refused += 1

    def stop(self) -> None:
        self._stop.set()


def _settings(ports: dict[str, int]) -> str:
    """A .env with every door open."""
    lines = {
        **{name: str(port) for name, port in ports.items()},
        "IMAGE_TAG": _TAG,
        "LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET": secrets.token_hex(16),
        "LISTENINGPOST_INGEST__SLACK__BOT_TOKEN": f"xoxb-{secrets.token_hex(12)}",
        "LISTENINGPOST_INGEST__ZENDESK__SIGNING_SECRETS": f"'{json.dumps([secrets.token_urlsafe(32)])}'",
        "LISTENINGPOST_INGEST__ZENDESK__ACCOUNT_ID": "22129848",
        "LISTENINGPOST_INGEST__MAIL__PORT": "2525",
        "LISTENINGPOST_INGEST__MAIL__MAILBOXES": """'[{"address": "feedback@leuchtfeld.example"}]'""",
        "LISTENINGPOST_SECRETS__SURVEY_HOOK": f"whsec_{b64encode(secrets.token_bytes(32)).decode()}",
        "LISTENINGPOST_NOTIFIER__EMAIL__HOST": "mail",
        "LISTENINGPOST_NOTIFIER__EMAIL__PORT": "2525",
        "LISTENINGPOST_NOTIFIER__EMAIL__SENDER": "'Listening Post <feedback@leuchtfeld.example>'",
    }
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _override(settings: Path) -> str:
    """No container reads the .env of whoever runs this, and there is a mail server that takes everything."""
    env_files = "".join(
        f"  {name}:\n    env_file: !override [{{path: {settings}}}]\n"
        for name in (*SERVICES, "keys", "init", "tools")
    )
    mail = f"""  mail:
    image: listeningpost-tools:{_TAG}
    entrypoint: [python, -u, -m, aiosmtpd, -n, -l, "0.0.0.0:2525", -c, aiosmtpd.handlers.Debugging, stdout]
    init: true
    networks: [inside]
"""
    return f"services:\n{env_files}{mail}"


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    report = Report()
    yield report
    print("\n" + "\n".join(report.lines))  # noqa: T201 - what this was run for


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, report: Report) -> Iterator[Project]:
    lack = compose.missing()
    if lack:
        pytest.exit(lack, returncode=1)
    try:
        for name in upstream():
            report.add(name, provide(name))
    except CannotStandIn as error:
        pytest.exit(str(error), returncode=1)
    folder = tmp_path_factory.mktemp("compose")
    leases = {name: lease_port() for name in ("PUBLISH_HTTP", "PUBLISH_SMTP", "PUBLISH_CONSOLE")}
    settings, override = folder / ".env", folder / "override.yml"
    settings.write_text(_settings({name: lease.port for name, lease in leases.items()}), encoding="utf-8")
    override.write_text(_override(settings), encoding="utf-8")
    started = Project(f"listeningpost-{_TAG}", settings, (override,))
    try:
        yield started
    finally:
        started.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
        for name in (*SERVICES, "tools"):
            compose.remove_image(f"listeningpost-{name}:{_TAG}")
        for lease in leases.values():
            lease.release()


def test_the_images_are_built_small_and_without_rights(project: Project, report: Report) -> None:
    project.must("build")
    base = next(name for name in upstream() if name.startswith("python:"))
    for name in (*SERVICES, "tools"):
        built = compose.image(f"listeningpost-{name}:{_TAG}")
        size_mb = (built["Size"] - compose.image(base)["Size"]) / 1_000_000
        report.add(f"image {name}, without its base", f"{size_mb:.0f} MB")
        assert size_mb < _MOST_MB.get(name, 200)
        config = built["Config"]
        assert config["User"] == "10001:10001"
        assert config["Labels"]["org.opencontainers.image.version"] == _TAG
        assert ("Healthcheck" in config) == (name in SERVICES)
        looked = project.compose("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", name, "-c", _LOOK)
        assert looked.out.strip() == "clean", looked.out + looked.err


#: Nothing compiles, nothing can be written but what was mounted for it.
_LOOK = """
for program in cc gcc g++ clang make; do command -v $program; done
for place in / /opt/listeningpost /usr/local/bin /etc; do touch $place/x 2>/dev/null && echo $place; done
[ "$(id -u)" = 10001 ] && echo clean
"""


def test_it_starts_and_becomes_ready_once_it_knows_the_company(project: Project, report: Report) -> None:
    project.must("up", "--detach")
    workspace = (ROOT / "deploy/config/workspace.yaml").read_text(encoding="utf-8") + _WEBHOOK
    applied = project.tools("apply", "-", "--author", "compose test", text=workspace)
    assert applied.code == 0, applied.err
    project.must("up", "--detach", "--wait")
    log = project.must("logs", "--no-color", "kafka")
    kafka = re.search(r"Kafka version: (\S+)", log)
    assert kafka is not None
    report.add("Kafka says it is", kafka[1])
    report.add("MongoDB says it is", str(_books(project, "version")))


#: Prints the services' own password, and what MongoDB says to somebody who has none.
_STRANGER = """
import asyncio
from shared.errors import DependencyDown
from shared.settings import CommonSettings, MongoSettings, load
from shared.store.connection import Store, guard

async def ask():
    store = Store(MongoSettings(uri="mongodb://mongo:27017/?replicaSet=listeningpost"))
    try:
        with guard():
            await store.collection("feedback").find_one()
    except DependencyDown as error:
        print(error)
    finally:
        await store.stop()

print(load(CommonSettings).mongo.password.get_secret_value())
asyncio.run(ask())
"""


def test_the_database_asks_for_a_password_that_is_in_files_alone(project: Project, report: Report) -> None:
    password, answer = project.python(_STRANGER).strip().splitlines()
    assert "it asks for a name and a password" in answer
    for name in (*SERVERS, *SERVICES, "keys", "init"):
        shown = json.dumps(project.containers(name))
        assert shown != "[]"
        assert password not in shown
        assert project.container(name)["HostConfig"]["ReadonlyRootfs"]
    report.add("a stranger asks MongoDB", "refused; no password in docker inspect")


def test_a_piece_comes_through_every_door(project: Project, report: Report) -> None:
    done = project.tools("selftest", "--within", "60", "--json")
    found = json.loads(done.out)
    for door in found["doors"]:
        answer = f"{door['answer']}, stored after {door['classified_ms']} ms"
        report.add(f"door {door['door']}", answer if door["state"] == "arrived" else str(door))
    assert found["passed"], done.err
    assert [door["state"] for door in found["doors"]] == ["arrived"] * _DOORS


def test_nothing_is_lost_while_one_after_the_other_is_restarted(project: Project, report: Report) -> None:
    key = project.tools("keys", "create", "traffic").out.strip()
    port = project.must("port", "ingest", "8080").strip()
    traffic = Traffic(f"http://{port}", key)
    thread = threading.Thread(target=traffic.run)
    thread.start()
    took: dict[str, Start] = {}
    try:
        for name in (*SERVERS, *SERVICES):
            project.must("restart", name)
            # First the one that was restarted: the others have been ready for long.
            for service in sorted(SERVICES, key=lambda each: each != name):
                since_start = project.ready(service, within_s=_PATIENCE_S)
                if service == name:
                    took[name] = since_start
    finally:
        traffic.stop()
        thread.join()
    # On a machine that is busy with other things the clock says little; then it is shown and not judged.
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    is_busy = load > 2 * cores
    report.add("the machine", f"{cores} cores, load {load:.0f}" + ", too busy to judge times" * is_busy)
    for service, start in took.items():
        report.add(
            f"{service}, from start to ready", f"{start.clock_s:.1f} s, {start.cpu_s} s of a processor"
        )
        assert project.container(service)["RestartCount"] == 0, "it ended by itself"
    stored = _all_stored(project, traffic.accepted)
    lost = set(traffic.accepted) - set(stored)
    report.add("sent while 6 were restarted", f"{len(traffic.accepted)} accepted, {traffic.refused} not")
    report.add("lost", str(len(lost)))
    assert traffic.accepted
    assert not lost
    assert set(stored.values()) == {1}
    assert set(took) == set(SERVICES)
    assert is_busy or max(start.clock_s for start in took.values()) < _READY_WITHIN_S, took


def test_it_scales(project: Project, report: Report) -> None:
    for name, used in sorted(project.memory().items()):
        report.add(f"memory of {name}", used)
    project.must("up", "--detach", "--wait", "--no-recreate", "--scale", "classifier=3")
    states = [container["State"]["Health"]["Status"] for container in project.containers("classifier")]
    assert states == ["healthy"] * 3
    report.add("--scale classifier=3", "3 healthy")


def test_it_stops_by_itself_and_in_time(project: Project, report: Report) -> None:
    project.must("stop")
    for name in (*SERVERS, *SERVICES):
        codes = [container["State"]["ExitCode"] for container in project.containers(name)]
        report.add(f"exit code of {name}", ", ".join(map(str, codes)))
        # Java reports the SIGTERM that it has obeyed.
        assert set(codes) <= ({0, 143} if name == "kafka" else {0})
        assert not any(container["State"]["OOMKilled"] for container in project.containers(name))


def test_it_leaves_nothing_behind(project: Project, report: Report) -> None:
    project.must("down", "--volumes", "--remove-orphans")
    assert project.left_behind() == {}
    report.add("left behind", "nothing")


def _books(project: Project, part: str) -> Any:  # noqa: ANN401 - JSON
    program = Path(compose_books.__file__).read_text(encoding="utf-8")
    return json.loads(project.python(program, part))[part]


def _all_stored(project: Project, accepted: list[str]) -> dict[str, int]:
    """How often each is stored, once all of them are: the spool may have to be emptied first."""
    found: Counter[str] = Counter()

    def complete() -> bool:
        found.clear()
        found.update(piece["name"] for piece in _books(project, "pieces"))
        return set(accepted) <= set(found)

    with contextlib.suppress(AssertionError):
        asyncio.run(until(complete, within_s=_PATIENCE_S, what="everything is stored"))
    return {name: found[name] for name in accepted if name in found}
