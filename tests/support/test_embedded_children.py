"""Real processes, but only small ones."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from deploy.embedded.children import Child
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.ports import LOOPBACK, lease_port
from deploy.embedded.process import Command
from deploy.embedded.supervisor import Supervisor
from tests.support.wait import until

STUBBORN = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
)
WITH_A_CHILD = (
    "import subprocess, signal, sys; p = subprocess.Popen(['sleep', '600']);"
    "print(p.pid, flush=True); signal.pause()"
)


class Heard(list[str]):
    def __call__(self, _name: str, line: str) -> None:
        self.append(line)


def python(code: str, *, name: str = "child", grace_s: float = 5.0) -> Command:
    return Command(name, (sys.executable, "-c", code), grace_s=grace_s)


@pytest.mark.parametrize(
    ("code", "how"),
    [("raise SystemExit(7)", "exit code 7"), ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL")],
)
async def test_how_it_ended_is_told(code: str, how: str) -> None:
    child = Child(python(code), Heard())
    child.start()
    assert str(await child.wait()) == how


async def test_its_last_lines_are_heard_before_its_end() -> None:
    heard = Heard()
    child = Child(python("print('x' * 100_000); print('é', end='')"), heard)
    child.start()
    await child.wait()
    assert [len(line) for line in heard] == [65_536, 34_464, 1]
    assert child.death().last_lines[-1] == "é"


async def test_a_missing_program_is_said_by_the_child() -> None:
    child = Child(Command("child", ("/no/such/program",)), Heard())
    child.start()
    assert (await child.wait()).returncode == 127
    assert "cannot start /no/such/program: No such file or directory" in str(child.death())


async def test_who_ignores_sigterm_is_killed_after_the_grace() -> None:
    heard = Heard()
    child = Child(python(STUBBORN, grace_s=0.1), heard)
    child.start()
    await until(lambda: "up" in heard, within_s=5, what="it listens to no SIGTERM")
    assert (await child.stop()).returncode == -signal.SIGKILL
    assert "still running 0.1 s after SIGTERM: killed" in heard


async def test_a_paused_child_can_be_stopped() -> None:
    heard = Heard()
    child = Child(python("import signal; print('up', flush=True); signal.pause()"), heard)
    child.start()
    await until(lambda: "up" in heard, within_s=5, what="it runs")
    child.pause()
    assert (await child.stop()).returncode == -signal.SIGTERM


async def test_what_it_started_ends_with_it() -> None:
    heard = Heard()
    child = Child(python(WITH_A_CHILD), heard)
    child.start()
    await until(lambda: heard, within_s=5, what="the grandchild runs")
    await child.stop()
    await until(lambda: not _exists(int(heard[0])), within_s=5, what="the grandchild is gone")


async def test_signals_the_interpreter_ignores_are_not_ignored_by_the_child() -> None:
    heard = Heard()
    child = Child(Command("child", ("grep", "SigIgn", "/proc/self/status")), heard)
    child.start()
    await child.wait()
    assert heard == ["SigIgn:\t0000000000000000"]


async def test_children_stop_in_reverse_order() -> None:
    heard = Heard()
    supervisor = Supervisor(heard)
    says_goodbye = (
        "import signal, sys; signal.signal(15, lambda *_: sys.exit('bye {0}'));"
        "print('up {0}', flush=True); signal.pause()"
    )
    for name in ("first", "second"):
        supervisor.add(python(says_goodbye.format(name), name=name))
    await until(lambda: len(heard) == 2, within_s=5, what="both run")
    await asyncio.gather(supervisor.stop(), supervisor.stop())
    assert heard[2:] == ["bye second", "bye first"]
    assert supervisor.death is None


async def test_what_never_becomes_ready_is_an_error() -> None:
    supervisor = Supervisor(Heard())

    async def never() -> bool:
        return False

    with pytest.raises(EmbeddedError, match=r"Not within 0.1 s: it answers\."):
        await supervisor.until(never, what="it answers", within_s=0.1)


def test_leased_ports_differ_and_are_below_the_range_of_outgoing_connections() -> None:
    leases = [lease_port() for _ in range(50)]
    try:
        assert len({lease.port for lease in leases}) == 50
        assert all(20_000 <= lease.port < 60_000 for lease in leases)
    finally:
        for lease in leases:
            lease.release()


async def test_a_port_in_use_is_not_leased(monkeypatch: pytest.MonkeyPatch) -> None:
    lease = lease_port()
    server = await asyncio.start_server(lambda _reader, _writer: None, LOOPBACK, lease.port)
    lease.release()
    try:
        monkeypatch.setattr("deploy.embedded.ports._LOWEST", lease.port)
        monkeypatch.setattr("deploy.embedded.ports._first_ephemeral_port", lambda: lease.port + 1)
        with pytest.raises(EmbeddedError, match="No free port"):
            lease_port()
    finally:
        server.close()
        await server.wait_closed()


def _exists(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123
            return "State:\tZ" not in status.read()
    except FileNotFoundError:
        return False
