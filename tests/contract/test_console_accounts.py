"""What `/v1/accounts` promises over HTTP: who may, what is answered, tags, and refusals that help."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.domain.api_key import Scope
from shared.store.directory import Origin
from tests.support.console import ACCOUNTS, Desk, desk, problem
from tests.support.submissions import RECEIVED_AT

SAID = "hunter2hunter2"
_CHANGES = [
    ("PUT", "/acme", {"name": "Acme"}),
    ("PATCH", "/acme", {"tier": "gold"}),
    ("DELETE", "/acme", None),
]
_READS = [("GET", "", None), ("GET", "/acme", None)]
each_change = pytest.mark.parametrize(("method", "path", "body"), _CHANGES)
each = pytest.mark.parametrize(("method", "path", "body"), [*_READS, *_CHANGES])


@pytest_asyncio.fixture
async def house() -> AsyncIterator[Desk]:
    async with desk() as opened:
        yield opened


# ---- Who may ----


@each
async def test_without_a_key_in_force_nobody_gets_in(
    house: Desk, method: str, path: str, body: object
) -> None:
    old = house.keys.add(Scope.ACCOUNTS_WRITE, expires_at=RECEIVED_AT - timedelta(seconds=1))
    for token in ("", "lp_nobody", old):
        answer = await house.http.request(
            method, ACCOUNTS + path, json=body, headers={"authorization": f"Bearer {token}"}
        )
        assert problem(answer)["reason"] == "unauthenticated"
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer realm="listeningpost"',
        )
    assert house.version.number == 1


@each
async def test_a_key_does_what_its_scopes_say(house: Desk, method: str, path: str, body: object) -> None:
    feedback = house.keys.add(Scope.WRITE, Scope.IMPORT, Scope.NOTES)
    refused = await house.ask(method, path, body, token=feedback)
    scope = "accounts:read" if method == "GET" else "accounts:write"
    assert (refused.status_code, scope in problem(refused)["remedy"]) == (403, True)
    reading = await house.ask(method, path, body, token=house.reader)
    assert reading.status_code == (200 if method == "GET" else 403)
    assert house.version.number == 1
    assert (await house.ask(method, path, body)).is_success, "whoever may write may read"


# ---- What is answered ----


async def test_an_account_lives_from_put_to_delete(house: Desk) -> None:
    made = await house.ask("PUT", "/new", {"name": "New", "domains": ["new.example"], "owner": "eve"})
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (
        201,
        "/v1/accounts/new",
        '"2"',
    )
    got = await house.ask("GET", "/new")
    assert (got.status_code, got.json(), got.headers["etag"]) == (200, made.json(), '"2"')
    assert "private" in got.headers["cache-control"]
    put = await house.ask("PUT", "/new", {**got.json(), "tier": "gold"})
    assert (put.status_code, put.json()["tier"], put.headers["etag"]) == (200, "gold", '"3"')
    assert "location" not in put.headers
    patched = await house.ask(
        "PATCH", "/new", {"owner": None}, content_type="application/merge-patch+json; charset=utf-8"
    )
    assert (patched.status_code, patched.json()["owner"], patched.json()["tier"]) == (200, None, "gold")
    gone = await house.ask("DELETE", "/new")
    assert (gone.status_code, gone.content, gone.headers["etag"]) == (204, b"", '"5"')
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        answer = await house.ask(method, "/new", body)
        assert (answer.status_code, problem(answer)["reason"]) == (404, "not_found")
    assert [(v.author, v.origin) for v in house.book.versions[1:]] == [("api key a key", Origin.API)] * 4


async def test_what_changes_nothing_makes_no_version(house: Desk) -> None:
    got = await house.ask("GET", "/acme")
    for method in ("PUT", "PATCH"):
        same = await house.ask(method, "/acme", got.json())
        assert (same.status_code, same.json(), same.headers["etag"]) == (200, got.json(), '"1"')
    assert house.version.number == 1


async def test_a_list_has_pages_and_finds_a_domain(house: Desk) -> None:
    first = (await house.ask("GET", "?limit=1")).json()
    assert ([account["id"] for account in first["accounts"]], first["next_cursor"]) == (["acme"], "acme")
    last = (await house.ask("GET", f"?limit=1&cursor={first['next_cursor']}")).json()
    assert ([account["id"] for account in last["accounts"]], last["next_cursor"]) == (["orphan"], None)
    found = (await house.ask("GET", "?domain=orphan.example")).json()
    assert [account["id"] for account in found["accounts"]] == ["orphan"]
    wrong = await house.ask("GET", "?domian=orphan.example")
    assert (wrong.status_code, problem(wrong)["remedy"]) == (400, "Did you mean 'domain'?")


@pytest.mark.parametrize("path", ["", "/acme"])
async def test_whoever_has_seen_it_is_told_that_it_is_the_same(house: Desk, path: str) -> None:
    tag = (await house.ask("GET", path)).headers["etag"]
    same = await house.ask("GET", path, if_none_match=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    await house.ask("DELETE", "/orphan")
    assert (await house.ask("GET", path, if_none_match=tag)).status_code == 200


# ---- Preconditions ----


@each_change
async def test_a_change_of_what_was_seen_is_made_and_a_stale_one_is_not(
    house: Desk, method: str, path: str, body: object
) -> None:
    await house.ask("PUT", "/other", {"name": "Other"})
    stale = await house.ask(method, path, body, if_match='"1"')
    said = problem(stale)
    assert (stale.status_code, said["reason"], said["header"]) == (412, "precondition", "If-Match")
    assert house.version.number == 2
    assert (await house.ask(method, path, body, if_match='"1", "2"')).is_success


async def test_a_missing_account_is_missing_whatever_the_tag(house: Desk) -> None:
    for method, body in (("PATCH", {}), ("DELETE", None)):
        assert (await house.ask(method, "/nobody", body, if_match='"77"')).status_code == 404
    assert (await house.ask("PUT", "/nobody", {"name": "N"}, if_match='"77"')).status_code == 412
    assert (await house.ask("PUT", "/nobody", {"name": "N"}, if_match='"1"')).status_code == 201


async def test_only_a_new_one_or_only_one_that_is_there(house: Desk) -> None:
    there = await house.ask("PUT", "/acme", {"name": "A"}, if_none_match="*")
    assert (there.status_code, problem(there)["header"]) == (412, "If-None-Match")
    assert (await house.ask("PUT", "/new", {"name": "N"}, if_none_match="*")).status_code == 201
    absent = await house.ask("PUT", "/other", {"name": "O"}, if_match="*")
    assert (absent.status_code, problem(absent)["header"]) == (412, "If-Match")
    assert (await house.ask("PUT", "/acme", {"name": "A"}, if_match="*")).status_code == 200
    assert (await house.ask("PUT", "/acme", {"name": "B"}, if_match="2")).status_code == 400


# ---- Others at the same time ----


async def test_a_change_that_is_overtaken_begins_again_and_loses_nothing(house: Desk) -> None:
    house.book.rivals = 5
    answer = await house.ask("PATCH", "/acme", {"tier": "gold"})
    assert (answer.status_code, house.version.number) == (200, 7)
    assert house.version.workspace.name == "Brightline 5"
    house.book.rivals = 1
    tag = answer.headers["etag"]
    assert (await house.ask("PATCH", "/acme", {"tier": "iron"}, if_match=tag)).status_code == 412


async def test_when_others_never_stop_it_is_to_come_again(house: Desk) -> None:
    house.book.rivals = 1_000
    answer = await house.ask("PATCH", "/acme", {"tier": "gold"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_many_at_once_wait_for_each_other(house: Desk) -> None:
    made = await asyncio.gather(*(house.ask("PUT", f"/n{n}", {"name": f"{n}"}) for n in range(40)))
    assert {answer.status_code for answer in made} == {201}
    assert len(house.version.workspace.accounts) == 42


# ---- Refusals ----


async def test_a_refusal_names_every_field_and_what_to_do(house: Desk) -> None:
    answer = await house.ask(
        "PUT", "/acme", {"name": "A", "owner": "evee", "domains": ["gmail.com"], "x": SAID}
    )
    said = problem(answer)
    assert (answer.status_code, said["pointer"], said["reason"]) == (422, "/x", "unknown_field")
    answer = await house.ask("PUT", "/acme", {"name": "A", "owner": "evee", "segment": "none"})
    said = problem(answer)
    assert [(fault["pointer"], fault["reason"]) for fault in said["errors"]] == [
        ("/owner", "unsound"),
        ("/segment", "unsound"),
    ]
    assert (said["type"], said["remedy"]) == ("urn:listeningpost:problem:unsound", "Did you mean 'eve'?")
    assert house.version.number == 1


@pytest.mark.parametrize(
    ("method", "body", "content_type", "status", "reason"),
    [
        ("PUT", b"", "application/json", 400, "malformed"),
        ("PUT", b'{"name": ', "application/json", 400, "malformed"),
        ("PUT", b"[" * 60_000, "application/json", 400, "malformed"),
        ("PUT", b"[]", "application/json", 422, "wrong_type"),
        ("PUT", b'{"name": "\xff"}', "application/json", 422, "bad_text"),
        ("PUT", b'{"name": "A\\u0000"}', "application/json", 422, "bad_text"),
        ("PUT", b'{"name": "A"}', "text/plain", 415, "media_type"),
        ("PUT", b'{"name": "A"}', "application/merge-patch+json", 415, "media_type"),
        ("PATCH", b"null", "application/merge-patch+json", 422, "wrong_type"),
        ("PATCH", b"{}", "application/json-patch+json", 415, "media_type"),
        ("PUT", b'"' + b"x" * 200_000 + b'"', "application/json", 413, "too_large"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    house: Desk, method: str, body: bytes, content_type: str, status: int, reason: str
) -> None:
    answer = await house.ask(method, "/acme", body, content_type=content_type)
    assert (answer.status_code, problem(answer)["reason"]) == (status, reason)
    assert house.version.number == 1


async def test_deep_nesting_breaks_nothing(house: Desk) -> None:
    for depth in (200, 900, 990, 5_000):
        body = b'{"name": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"
        for method in ("PUT", "PATCH"):
            assert (await house.ask(method, "/acme", body)).status_code in {400, 422}


async def test_while_the_database_is_away_everything_is_to_come_again(house: Desk) -> None:
    house.book.away = True
    for method, path, body in (*_READS, *_CHANGES):
        answer = await house.ask(method, path, body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert problem(answer)["reason"] == "unreachable"


async def test_before_the_first_workspace_there_is_nothing_to_change(house: Desk) -> None:
    house.book.versions.clear()
    assert (await house.ask("PUT", "/acme", {"name": "A"})).status_code == 503
    assert (await house.ask("GET")).status_code == 503


async def test_refusals_and_changes_are_counted_and_what_was_sent_is_not_logged(house: Desk) -> None:
    def count(outcome: str, reason: str = "") -> float:
        labels = {"outcome": outcome, "reason": reason}
        return REGISTRY.get_sample_value("listeningpost_api_requests_total", labels) or 0.0

    before = (count("refused", "unsound"), count("created"), count("read"))
    with capture_logs() as logged:
        await house.ask("PUT", "/new", {"name": SAID, "owner": SAID})
        await house.ask("PUT", "/new", {"name": SAID})
        await house.ask("GET", "/new")
    assert (count("refused", "unsound"), count("created"), count("read")) == tuple(n + 1 for n in before)
    assert [line["event"] for line in logged] == ["request_refused", "account_changed"]
    assert SAID not in str(logged)


async def test_the_schema_is_there_and_other_methods_are_not(house: Desk) -> None:
    assert (await house.http.get("/openapi.json")).json()["paths"]
    assert (await house.ask("POST", "", {"name": "A"})).status_code == 405
