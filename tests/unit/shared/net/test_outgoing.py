"""HTTP to strangers: pinned to a judged address, no redirects, nothing read without end."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from shared.errors import PermanentError, TransientError, UnknownOutcome
from shared.net.outgoing import OutgoingHttp
from tests.support.http_server import HttpServer, Reply, Request

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


class Stranger:
    """Answers with `reply`, remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.reply = Reply()
        self.server = HttpServer(self.answer)

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.reply


@pytest_asyncio.fixture
async def stranger() -> AsyncIterator[Stranger]:
    stranger = Stranger()
    async with stranger.server:
        yield stranger


@pytest_asyncio.fixture
async def http() -> AsyncIterator[OutgoingHttp]:
    http = OutgoingHttp(LOOPBACK, timeout_s=0.5)
    yield http
    await http.close()


async def test_the_host_stays_the_url_s(
    stranger: Stranger, http: OutgoingHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_: str, port: int, **__: Any) -> list[Any]:  # noqa: ANN401 - getaddrinfo's
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    answer = await http.post(f"http://hooks.example:{stranger.server.port}/a?b=c", {"x-one": "1"}, b"{}")
    assert answer.status == 200
    (request,) = stranger.asked
    assert request.headers["host"] == f"hooks.example:{stranger.server.port}"
    assert request.headers["x-one"] == "1"
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b"{}")


async def test_a_private_address_is_refused_before_anything_is_sent(stranger: Stranger) -> None:
    http = OutgoingHttp()
    for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::1]", "2130706433", "0x7f.1", "127.1"):  # noqa: S104
        with pytest.raises((PermanentError, TransientError)) as raised:
            await http.post(f"http://{host}:{stranger.server.port}/", {}, b"")
        assert "handed over" not in str(raised.value)
    assert stranger.asked == []
    await http.close()


async def test_the_connection_goes_to_the_address_that_was_judged(
    stranger: Stranger, http: OutgoingHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resolver that says something else the second time, as DNS rebinding does, is not asked twice."""
    answers = ["127.0.0.1", "169.254.169.254"]
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:  # noqa: ANN401 - getaddrinfo's
        asked.append(host)
        address = (answers.pop(0), port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    await http.post(f"http://rebinding.example:{stranger.server.port}/", {}, b"")
    assert asked == ["rebinding.example"]
    assert len(stranger.asked) == 1


async def test_of_several_addresses_only_the_allowed_are_tried(
    stranger: Stranger, http: OutgoingHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(_: str, port: int, **__: Any) -> list[Any]:  # noqa: ANN401 - getaddrinfo's
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("10.0.0.1", "127.0.0.9", "127.0.0.1")
        ]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    answer = await http.post(f"http://several.example:{stranger.server.port}/", {}, b"")
    assert answer.status == 200


async def test_a_redirect_is_an_answer_and_is_not_followed(stranger: Stranger, http: OutgoingHttp) -> None:
    stranger.reply = Reply(status=302, headers={"location": "http://169.254.169.254/latest/meta-data"})
    answer = await http.post(f"{stranger.server.url}/", {}, b"")
    assert answer.status == 302
    assert len(stranger.asked) == 1


async def test_of_a_long_answer_only_the_start_is_read(stranger: Stranger, http: OutgoingHttp) -> None:
    stranger.reply = Reply(body=b"x" * 5_000_000)
    answer = await http.post(f"{stranger.server.url}/", {}, b"")
    assert len(answer.body) == 65_536
    stranger.reply = Reply()
    assert (await http.post(f"{stranger.server.url}/", {}, b"")).status == 200


@pytest.mark.parametrize(
    "url", ["ftp://a.example/", "file:///etc/passwd", "gopher://x", "//a.example", "", "http://exa mple/"]
)
async def test_other_schemes_and_nonsense_are_refused(http: OutgoingHttp, url: str) -> None:
    with pytest.raises((PermanentError, TransientError)):
        await http.post(url, {}, b"")


async def test_a_name_that_does_not_resolve_may_do_so_later(http: OutgoingHttp) -> None:
    with pytest.raises(TransientError) as raised:
        await http.post("http://no-such-host.invalid/", {}, b"")
    assert "no-such-host" not in str(raised.value)


async def test_headers_cannot_be_smuggled(stranger: Stranger, http: OutgoingHttp) -> None:
    with pytest.raises(PermanentError):
        await http.post(f"{stranger.server.url}/", {"x-one": "1\r\nx-two: 2"}, b"")
    assert stranger.asked == []


async def test_connections_are_used_again_and_after_silence_not(
    stranger: Stranger, http: OutgoingHttp
) -> None:
    for _ in range(5):
        await http.post(f"{stranger.server.url}/", {}, b"")
    assert len(stranger.server._open) == 1
    stranger.reply = Reply(silent=True)
    with pytest.raises(UnknownOutcome):
        await http.post(f"{stranger.server.url}/", {}, b"")
    stranger.reply = Reply()
    assert (await http.post(f"{stranger.server.url}/", {}, b"")).status == 200


async def test_no_more_connections_than_allowed(stranger: Stranger) -> None:
    http = OutgoingHttp(LOOPBACK, timeout_s=5, connections=3)
    await asyncio.gather(*(http.post(f"{stranger.server.url}/", {}, b"") for _ in range(20)))
    assert len(stranger.server._open) <= 3
    assert len(stranger.asked) == 20
    await http.close()
