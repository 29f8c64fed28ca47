"""Looking closer: the life of a piece, and where one would go."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Running, Shell
from tests.support.completing import completed
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

AMELIA = "amelia.hart@brightwater.example"
BILL = "Nobody can read the bill. What is the line 'service flat rate'?"


def as_json(shell: Shell, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - whatever JSON it is
    done = shell.run(*arguments, "--json")
    assert done.code == code, done.err
    return json.loads(done.out)


def as_json_with(shell: Shell, env: dict[str, str], *arguments: str) -> Any:  # noqa: ANN401 - JSON
    done = shell.run(*arguments, "--json", env=env)
    assert done.code == 0, done.err
    return json.loads(done.out)


def url_of(shell: Shell, service: str) -> str:
    note = json.loads(next(shell.home.glob("listeningpost-*/local.json")).read_text(encoding="utf-8"))
    return str(note["env"][f"LISTENINGPOST_CLI__{service}_URL"])


async def settled(shell: Shell, feedback_id: str) -> Any:  # noqa: ANN401 - JSON
    """The life of a piece once all its deliveries are through."""

    def through() -> Any:  # noqa: ANN401 - JSON
        done = shell.run("explain", feedback_id, "--json")
        life = json.loads(done.out) if done.code == 0 else {}
        rows = life.get("deliveries", ())
        return life if rows and all(row["state"] == "sent" for row in rows) else None

    return await until(through, within_s=30, what="everybody is told")


async def test_explain_shows_events_tags_weight_and_every_delivery(post: Running, shell: Shell) -> None:
    sent = as_json(shell, "send", BILL, "--from", AMELIA)
    life = await settled(shell, sent["feedback_id"])
    assert life["stored"]["text"] == BILL
    assert [event["position"].partition("/")[0] for event in life["events"]] == [
        "feedback.received.v1",
        "feedback.classified.v1",
    ]
    (bill,) = [tag for tag in life["stored"]["tags"]["touchpoints"] if tag["id"] == "bill"]
    assert bill["evidence"][0]["quote"] in BILL
    assert life["stored"]["tags"]["weight"]["parts"]
    maren = next(row for row in life["deliveries"] if row["who"] == "maren-voss")
    assert maren["why"]
    assert [one["outcome"] for one in maren["attempts"]] == ["sent"]
    assert (life["dead_letters"], life["notes"]) == ([], [])

    shown = shell.run("explain", sent["feedback_id"][:12]).out
    for word in (
        "feedback.classified.v1/",
        "service flat rate",
        "weight",
        "segment fit",
        "because: ",
        "Maren",
    ):
        assert word in shown


async def test_explain_finds_a_piece_by_what_its_provider_calls_it(post: Running, shell: Shell) -> None:
    note = json.loads(next(shell.home.glob("listeningpost-*/local.json")).read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {note['env']['LISTENINGPOST_CLI__KEY']}"}
    url = f"{note['env']['LISTENINGPOST_CLI__INGEST_URL']}/v1/feedback"
    item = {"text": BILL, "external_id": "ticket-4711", "author": {"email": AMELIA}}
    async with httpx.AsyncClient() as client:
        receipt = (await client.post(url, json=item, headers=headers)).json()
    await settled(shell, receipt["feedback_id"])
    assert as_json(shell, "explain", "ticket-4711")["feedback_id"] == receipt["feedback_id"]


async def test_explain_names_nobody_who_spoke_in_confidence(post: Running, shell: Shell) -> None:
    sent = as_json(shell, "send", BILL, "--from", AMELIA, "--confidential")
    await settled(shell, sent["feedback_id"])
    shown = shell.run("explain", sent["feedback_id"])
    assert "in confidence" in shown.out
    for secret in ("Amelia", "Hart", AMELIA):
        assert secret not in shown.out
        assert secret not in shell.run("explain", sent["feedback_id"], "--json").out


async def test_explain_says_why_a_test_was_told_to_nobody(post: Running, shell: Shell) -> None:
    sent = as_json(shell, "send", BILL, "--mode", "test")
    await until(lambda: shell.run("explain", sent["feedback_id"]).code == 0, within_s=20, what="it is stored")
    life = as_json(shell, "explain", sent["feedback_id"])
    assert "its mode is test" in life["not_told"][0]
    assert life["deliveries"] == []


async def test_explain_of_nothing_says_where_it_looked(post: Running, shell: Shell) -> None:
    done = shell.run("explain", "no-such-piece")
    assert done.code == 1
    for word in ("stored pieces", "feedback.received.v1", "dead letters", "listeningpost quarantine"):
        assert word in done.err
    assert shell.run("explain", "ab").code == 2


async def test_route_is_a_dry_run_that_stores_and_sends_nothing(post: Running, shell: Shell) -> None:
    said = len(post.out)
    found = as_json(shell, "route", "--text", f"{BILL} Nothing of it is kept.", "--from", AMELIA)
    assert [tag["id"] for tag in found["tags"]["touchpoints"]] == ["bill"]
    assert {"maren-voss", "petra-neumann", "contributor"} <= {one["who"] for one in found["told"]}
    assert found["reported_by"]["account"] == "brightwater"
    assert found["routes"]["routes"][0]["fate"] == "took"
    assert all(one["due_at"] for one in found["told"])
    assert found["told"][0]["by"] == ["email"]
    assert post.out[said:] == "", "nobody was told"
    shown = shell.run("route", "--text", BILL, "--touchpoint", "payment", "--urgent", "outage").out
    for word in ("dry run", "goes to colleagues-now", "does not hold", "Would be told", "payment"):
        assert word in shown


async def test_route_tries_a_workspace_that_is_not_applied(post: Running, shell: Shell) -> None:
    text = resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
    file = shell.home / "tried.yaml"
    file.write_text(text.replace("receiver: colleagues\n", "receiver: colleagues-now\n", 1), encoding="utf-8")
    given = ("--touchpoint", "bill", "--as-given", "--file", str(file))
    tried = as_json(shell, "route", "--text", BILL, *given)
    assert (tried["directory_version"], tried["model_version"]) == (0, "as given")
    assert [tag["id"] for tag in tried["tags"]["touchpoints"]] == ["bill"]
    tagged = as_json(shell, "route", "--text", BILL, "--file", str(file))
    assert [tag["id"] for tag in tagged["tags"]["touchpoints"]] == ["bill"]
    assert tagged["model_version"].endswith("on this machine")
    file.write_text(text.replace("triage_owner:", "triage_onwer:", 1), encoding="utf-8")
    assert shell.run("route", "--text", BILL, "--file", str(file)).code == 2


async def test_selftest_sends_one_piece_through_every_door_and_tells_nobody(
    post: Running, shell: Shell
) -> None:
    said = len(post.out)
    found = as_json(shell, "selftest")
    doors = {door["door"]: door for door in found["doors"]}
    assert found["passed"] is True
    arrived = {name for name, door in doors.items() if door["state"] == "arrived"}
    assert arrived >= {"imports", "mail", "note", "rest", "slack"}
    assert doors["webhook"]["problem"] == "none is declared in the workspace"
    for door in doors.values():
        if door["state"] == "arrived":
            assert door["received"].startswith("feedback.received")
            assert 0 < door["answered_ms"] <= door["classified_ms"] + 1_000
            stored = as_json(shell, "explain", door["feedback_id"])
            assert stored["stored"]["mode"] == "test"
            assert "listening-post-test" not in stored["stored"]["text"]
            assert stored["deliveries"] == []
    assert post.out[said:] == "", "nobody was told"
    heard = {door["name"]: door for door in as_json(shell, "channels")["doors"]}
    assert all(heard[name]["last_heard_at"] for name in ("mail", "rest", "slack"))
    assert heard["mail"]["kept"] >= 1
    assert "last heard" in shell.run("channels").out


HOOKS = """
webhooks:
  - id: survey
    source: acme
    channel: survey
    verify:
      scheme: hmac
      secret: "secret:crm_webhook"
      header: X-Sig
      timestamp_header: X-Time
      signed: "{timestamp}.{body}"
    items: responses
    skip: "!finished"
    map: {text: answers.comment, external_id: id}
  - id: shop
    source: acme
    verify: {scheme: token, secret: "secret:crm_webhook"}
    map: {text: "join(': ', ['They said', comment])"}
"""


async def test_selftest_knocks_at_webhooks_whose_mapping_permits_it(post: Running, shell: Shell) -> None:
    said, before = len(post.out), shell.run("export").out
    try:
        assert shell.run("apply", "-", "--yes", text=before + HOOKS).code == 0

        def passed() -> Any:  # noqa: ANN401 - JSON
            """Ingest has the workspace a moment later."""
            done = shell.run("selftest", "--door", "webhook", "--json")
            return json.loads(done.out)["doors"] if done.code == 0 else None

        doors = await until(passed, within_s=60, what="the webhook takes it")
        found = {door["door"]: door for door in doors}
        assert found["webhook survey"]["state"] == "arrived", found
        stored = as_json(shell, "explain", found["webhook survey"]["feedback_id"])["stored"]
        assert (stored["mode"], stored["channel"], stored["source"]) == ("test", "survey", "acme")
        assert "listening-post-test" not in stored["text"]
        assert "not tested" in found["webhook shop"]["problem"]
        assert post.out[said:] == "", "nobody was told"
    finally:
        shell.run("apply", "-", "--yes", "--take", "file", text=before)


async def test_selftest_says_which_door_does_not_work_and_ends_with_1(post: Running, shell: Shell) -> None:
    broken = {"LISTENINGPOST_INGEST__SLACK__SIGNING_SECRET": "another-secret"}
    done = shell.run("selftest", "--door", "slack", "--door", "rest", env=broken)
    assert done.code == 1
    assert "slack: answered 401" in done.out
    assert "✓ rest" in done.out
    assert shell.run("selftest", "--door", "fax").code == 2
    other = shell.run("selftest", env={"LISTENINGPOST_INTERNAL_TOKEN": "another"})
    assert (other.code, other.out) == (1, "")


async def test_selftest_makes_a_key_of_its_own_where_none_is_given_and_takes_it_back(
    post: Running, shell: Shell
) -> None:
    def made() -> dict[str, Any]:
        return {key["id"]: key for key in as_json(shell, "keys", "list") if key["name"] == "self-test"}

    before = made()
    assert as_json_with(shell, {"LISTENINGPOST_CLI__KEY": ""}, "selftest", "--door", "rest")["passed"] is True
    (key,) = [key for number, key in made().items() if number not in before]
    assert key["scopes"] == ["feedback:test"]
    assert as_json(shell, "selftest", "--door", "note", "--door", "imports")["passed"] is True
    of_doors = [one["scopes"] for number, one in made().items() if number not in {*before, key["id"]}]
    assert sorted(of_doors) == [["feedback:import"], ["feedback:test"]], "each may do one thing"
    assert all(one["revoked_at"] for one in made().values())


async def test_doctor_looks_at_doors_spool_lag_retention_and_webhooks(post: Running, shell: Shell) -> None:
    report = as_json(shell, "doctor")
    about = {finding["about"]: finding for finding in report["findings"]}
    wanted = {"doors", "spool", "quarantine", "lag", "retention", "webhook crm", "dead letters"}
    assert wanted <= set(about)
    assert all(about[name]["state"] == "ok" for name in wanted)
    taken = shell.run("doctor", env={"LISTENINGPOST_CLI__CLASSIFIER_URL": url_of(shell, "INGEST")})
    assert (taken.code, "ingest answers at" in taken.out) == (1, True)
    guarded = shell.run("doctor", env={"LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS": ""})
    assert "has no address that is public or allowed" in guarded.out
    assert "LISTENINGPOST_NOTIFIER__WEBHOOK__ALLOWED_NETWORKS" in guarded.out


async def test_bench_measures_with_pieces_that_count_as_tests(post: Running, shell: Shell) -> None:
    said = len(post.out)
    found = as_json(shell, "bench", "--rate", "10", "--seconds", "2")
    assert (found["sent"], found["kept"], found["classified"]) == (20, 20, 20)
    assert 0 < found["accepted_ms"]["p50"] <= found["accepted_ms"]["max"]
    assert found["accepted_ms"]["p50"] < found["classified_ms"]["max"]
    assert as_json(shell, "explain", f"{found['word']}-7")["stored"]["mode"] == "test"
    assert post.out[said:] == ""
    refused = shell.run("bench", "--rate", "5", "--seconds", "1", env={"LISTENINGPOST_CLI__KEY": "lp_x_y"})
    assert (refused.code, "answered 401" in refused.out) == (1, True)


async def test_completion_offers_what_the_database_knows(post: Running, shell: Shell) -> None:
    async def offered(kind: str, *words: str, value: str) -> None:
        """On a busy machine it may need more than its 0.3 s: then Tab is pressed again."""

        def is_offered() -> bool:
            return completed(kind, ["listeningpost", *words], shell.env) == [value]

        await until(is_offered, within_s=30, what=f"{kind} is offered {value}")

    for kind in ("bash", "zsh", "fish"):
        await offered(kind, "route", "--touchpoint", "bil", value="bill")
    await offered("bash", "send", "--from", "amelia.", value=AMELIA)
    sent = as_json(shell, "send", BILL, "--mode", "test")["feedback_id"]
    await offered("fish", "explain", sent[:9], value=sent)


async def test_route_says_what_is_wrong_with_what_was_asked(post: Running, shell: Shell) -> None:
    typo = shell.run("route", "--text", BILL, "--touchpoint", "bil")
    assert (typo.code, "did you mean 'bill'?" in typo.err) == (2, True)
    assert shell.run("route").code == 2
    nobody = {"LISTENINGPOST_INTERNAL_TOKEN": "another"}
    refused = shell.run("route", "--text", BILL, env=nobody)
    assert (refused.code, "LISTENINGPOST_INTERNAL_TOKEN" in refused.err) == (1, True)
    away = shell.run("route", "--text", BILL, env={"LISTENINGPOST_CLI__CLASSIFIER_URL": "http://127.0.0.1:1"})
    assert away.code == 3
