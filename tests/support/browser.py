"""A real browser, driven over its debugging protocol by a pipe: Chromium, where this machine has one.

Source: chromedevtools.github.io/devtools-protocol; with `--remote-debugging-pipe` messages end with a NUL.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.wait import until

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
#: The browser reads from descriptor 3 and writes to 4, whatever these are here.
_BECOME = """
import os, sys
pair = [os.dup(int(number)) for number in sys.argv[1:3]]
spare = [os.dup(number) for number in pair]
os.dup2(spare[0], 3)
os.dup2(spare[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_WITHIN_S = 20.0
_MOST_BYTES = 64 * 1_048_576


def installed() -> str | None:
    """Where the browser is, else None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. What it does is awaited: a click until the page it led to has loaded."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return await self._browser.call(method, parameters, self._session)

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.settled()

    async def size(self, width: int, height: int, *, phone: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    async def dark(self) -> None:
        feature = {"name": "prefers-color-scheme", "value": "dark"}
        await self.call("Emulation.setEmulatedMedia", features=[feature])

    async def run(self, script: str) -> Any:  # noqa: ANN401 - any JSON value
        """What the expression gives."""
        found = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def press(self, key: str, code: int, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text if kind == "keyDown" else "",
            )

    async def write(self, text: str) -> None:
        """Into whatever has the focus."""
        await self.call("Input.insertText", text=text)

    async def at(self, path: str) -> None:
        """Until this address is shown and loaded."""

        script = f"document.readyState == 'complete' && location.pathname == {json.dumps(path)}"

        async def there() -> bool:
            return bool(await self.run(script))

        await until(there, within_s=_WITHIN_S, what=f"the browser is at {path}")

    async def settled(self) -> None:
        async def there() -> bool:
            return bool(await self.run("document.readyState == 'complete' && location.href != 'about:blank'"))

        await until(there, within_s=_WITHIN_S, what="the page has loaded")

    async def picture(self) -> bytes:
        """The whole page as a PNG."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


class Browser:
    """Answers come in any order, so each call waits for its own."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def call(
        self, method: str, parameters: dict[str, object] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": parameters or {}}
        self._writer.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        async with asyncio.timeout(_WITHIN_S):
            found: dict[str, Any] = await answer
        assert "error" not in found, found
        return dict(found["result"])

    async def page(self) -> Page:
        target = await self.call("Target.createTarget", {"url": "about:blank"})
        attached = await self.call("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        return Page(self, attached["sessionId"])

    async def listen(self) -> None:
        while message := (await self._reader.readuntil(b"\0"))[:-1]:
            found = json.loads(message)
            waiting = self._waiting.pop(found.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(found)


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A fresh one with its own profile; it ends with the block."""
    path = installed()
    assert path is not None
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _BECOME,
        str(theirs_in),
        str(theirs_out),
        path,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        pass_fds=(theirs_in, theirs_out),
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MOST_BYTES)
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours_in, "rb")
    )
    outgoing, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(ours_out, "wb")
    )
    opened = Browser(reader, asyncio.StreamWriter(outgoing, protocol, None, loop))
    listening = asyncio.create_task(opened.listen())
    try:
        yield opened
    finally:
        listening.cancel()
        outgoing.close()
        incoming.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
