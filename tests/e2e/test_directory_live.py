"""A change of the directory is in every service within two seconds, in the very process that ran before."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from shared import clock
from shared.domain.api_key import Scope
from shared.settings import MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from shared.store.feedback import FeedbackStore
from tests.e2e.conftest import Running, Shell
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

SERVICES = ("INGEST", "CLASSIFIER", "NOTIFIER", "CONSOLE")
LIVE_WITHIN_S = 2.0


def environment(shell: Shell) -> Mapping[str, str]:
    note = shell.home / f"listeningpost-{os.getuid()}" / "local.json"
    return dict(json.loads(note.read_text(encoding="utf-8"))["env"])


async def seen(shell: Shell) -> dict[str, tuple[int, float]]:
    """By service: the version it works with, and when its process was started."""
    found = {}
    async with httpx.AsyncClient(timeout=5) as client:
        for service in SERVICES:
            url = environment(shell)[f"LISTENINGPOST_CLI__{service}_URL"]
            text = (await client.get(f"{url.rstrip('/')}/metrics")).text
            values = {
                s.name: s.value for family in text_string_to_metric_families(text) for s in family.samples
            }
            version = int(values["listeningpost_directory_version"])
            found[service] = version, values["process_start_time_seconds"]
    return found


async def live_after(shell: Shell, number: int, changed_at: float) -> float:
    """Seconds until all of them work with that version."""

    async def everywhere() -> bool:
        return all(version == number for version, _ in (await seen(shell)).values())

    await until(everywhere, within_s=LIVE_WITHIN_S, what=f"version {number} is in every service")
    return time.monotonic() - changed_at


async def patched(shell: Shell, token: str, changes: object) -> int:
    """The version that a change over the API made, with a key that the console may not have heard of yet."""
    url = f"{environment(shell)['LISTENINGPOST_CLI__CONSOLE_URL'].rstrip('/')}/v1/accounts/tallship"
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=20) as client:

        async def known() -> bool:
            return (await client.get(url)).status_code == httpx.codes.OK

        await until(known, within_s=5, what="the key is known")
        answer = await client.patch(url, json=changes)
    assert answer.status_code == httpx.codes.OK, answer.text
    return int(answer.headers["etag"].strip('"'))


async def test_a_change_by_file_csv_or_api_is_in_all_services_within_two_seconds(
    post: Running, shell: Shell
) -> None:
    before = await seen(shell)
    store = Store(MongoSettings(uri=SecretStr(environment(shell)["LISTENINGPOST_MONGO__URI"])))
    await store.start()
    try:
        scopes = [Scope.ACCOUNTS_WRITE]
        _, token = await ApiKeyStore(store).create("crm", scopes, now=clock.now())
        for turn in range(3):
            number = await patched(shell, token, {"yearly_value": 30_000 + turn})
            assert await live_after(shell, number, time.monotonic()) < LIVE_WITHIN_S
        brought = shell.run("accounts", "import", "-", "--json", text="id,tier\ntallship,gold\n")
        assert await live_after(shell, json.loads(brought.out)["version"], time.monotonic()) < LIVE_WITHIN_S
        exported = shell.run("export").out.replace("name: Tallship Studios", "name: Tallship")
        applied = shell.run("apply", "-", "--json", text=exported)
        number = json.loads(applied.out)["version"]
        assert await live_after(shell, number, time.monotonic()) < LIVE_WITHIN_S
        after = await seen(shell)
        assert {name: started for name, (_, started) in after.items()} == {
            name: started for name, (_, started) in before.items()
        }, "none was started anew"
        assert {version for version, _ in before.values()} == {number - 5}
        receipt = json.loads(shell.run("send", "The bill is wrong.", "--json").out)
        feedback = FeedbackStore(store)

        async def tagged() -> int | None:
            found = await feedback.get([receipt["feedback_id"]])
            return found[0].directory_version if found else None

        assert await until(tagged, within_s=20, what="the piece is tagged") == number
    finally:
        await store.stop()
