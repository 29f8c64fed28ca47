"""`listeningpost demo`, as somebody sees it who has just cloned this."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell, going_on

_WITHIN_S = 90.0


@pytest.mark.timeout(240)
async def test_the_demo_ends_by_itself_with_everything_as_it_must_be(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    began = time.monotonic()
    async with going_on(shell, "demo") as demo, asyncio.timeout(200):
        code = await demo.process.wait()
    took_s = time.monotonic() - began
    assert code == 0, demo.out[-4000:]
    assert "Everything that had to happen happened, and nothing else." in demo.out
    assert '"type": "urn:listeningpost:problem:malformed"' in demo.out
    for line in ("sent ", "kept ", "told ", "answered ", "tags ", "speed "):
        assert line in demo.out
    assert took_s < _WITHIN_S


@pytest.mark.timeout(240)
async def test_the_demo_can_stay_and_is_found_from_another_terminal(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    async with going_on(shell, "demo", "--stay", "--speed", "50") as demo:
        await demo.says("Ctrl-C stops everything.", within_s=180)
        assert shell.run("doctor").code == 0
        assert "signing secret " in demo.out
        assert "takes mail for feedback@leuchtfeld.example" in demo.out
        before = len(demo.out)
        assert shell.run("send", "Nobody can read the bill.").code == 0
        await demo.says("why: ", within_s=30)
        assert "→ mail" in demo.out[before:]
        assert await demo.stop() == 0
    assert "Everything that had to happen happened" in demo.out
