"""The command line against a Listening Post that it started itself."""

from __future__ import annotations

import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.cli import local
from shared.bus.publisher import Publisher
from shared.domain.quarantine import Quarantined, QuarantineReason
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings, MongoSettings
from shared.store.connection import Store
from shared.store.quarantine import QuarantineStore
from tests.e2e.conftest import Running, Shell, going_on
from tests.support.company import NOW
from tests.support.wait import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


def example(shell: Shell) -> Path:
    file = shell.home / "company.yaml"
    text = resources.files("deploy").joinpath("config", "workspace.yaml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    return file


def as_json(shell: Shell, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - whatever JSON it is
    done = shell.run(*arguments, "--json")
    assert done.code == code, done.err
    return json.loads(done.out)


async def test_doctor_finds_everything_well_and_topics_nothing_to_do(post: Running, shell: Shell) -> None:
    report = as_json(shell, "doctor")
    assert report["well"] is True
    about = {finding["about"] for finding in report["findings"]}
    assert about >= {"Kafka", "topics", "MongoDB", "indexes", "directory", "clock", "secrets"}
    assert about >= {"ingest", "classifier", "notifier", "console", "mail", "Slack"}
    topics = as_json(shell, "topics")
    assert topics["made"] == []
    assert all(topic["partitions"] == topic["declared"] for topic in topics["topics"])


async def test_a_piece_that_is_sent_is_seen_by_tail_with_who_was_told(post: Running, shell: Shell) -> None:
    async with going_on(shell, "tail", "--json", "--from-start") as tail:
        text = "Nobody can read the bill. What is the line 'service flat rate'?"
        receipt = as_json(shell, "send", text, "--from", "amelia.hart@brightwater.example")
        await tail.says(receipt["feedback_id"], within_s=30)
        line = next(line for line in tail.out.splitlines() if receipt["feedback_id"] in line)
    piece = json.loads(line)
    assert piece["text"] == text
    assert {"maren-voss", "petra-neumann"} <= {told["who"] for told in piece["told"]}
    assert all(told["why"] for told in piece["told"] if told["purpose"] == "notice")


async def test_what_is_refused_says_why_and_ends_with_1(post: Running, shell: Shell) -> None:
    done = shell.run("send", "   ")
    assert done.code == 1
    assert "refused" in done.out
    assert "remedy" in done.out


async def test_a_touchpoint_that_does_not_exist_is_said_and_costs_nothing(
    post: Running, shell: Shell
) -> None:
    done = shell.run("send", "Nobody can read it.", "--touchpoint", "bil")
    assert done.code == 0
    assert "kept" in done.out
    assert "there is no such touchpoint" in done.err
    assert "did you mean 'bill'?" in done.err


async def test_a_file_and_an_attachment_can_be_sent(post: Running, shell: Shell) -> None:
    (shell.home / "said.txt").write_text("Das Kundenportal meldet mich ständig ab.", encoding="utf-8")
    (shell.home / "log.txt").write_text("session expired", encoding="utf-8")
    receipt = as_json(shell, "send", "--file", "said.txt", "--attach", "log.txt")
    assert receipt["status"] == "accepted"
    piped = shell.run("send", "-", "--json", text="Nobody called back.")
    assert json.loads(piped.out)["status"] == "accepted"


async def test_apply_names_faults_and_running_services_see_a_change(post: Running, shell: Shell) -> None:
    file = example(shell)
    broken = shell.home / "broken.yaml"
    broken.write_text(
        file.read_text().replace("department: support", "department: suport", 1), encoding="utf-8"
    )
    done = shell.run("apply", str(broken))
    assert done.code == 2
    assert "did you mean 'support'?" in done.err
    assert f"{broken}:" in done.err

    file.write_text(file.read_text().replace("name: The bill", "name: The invoice", 1), encoding="utf-8")
    dry = as_json(shell, "apply", str(file), "--dry-run")
    assert dry["applied"] is False
    assert ["name"] in [d["changed"].get("bill") for d in dry["differences"]]
    asked = shell.run("apply", str(file), "--author", "mara", text="")
    assert (asked.code, "bill (name)" in asked.out) == (1, True)
    assert "version 1 is by " in asked.err
    assert "--yes" in asked.err
    applied = as_json(shell, "apply", str(file), "--author", "mara", "--yes")
    assert (applied["applied"], applied["version"], applied["author"]) == (True, 2, "mara")
    again = shell.run("apply", str(file))
    assert again.code == 0
    assert "Nothing to change: version 2 by mara" in again.out
    file.write_text(file.read_text().replace("name: The invoice", "name: The bill", 1), encoding="utf-8")
    undone = as_json(shell, "apply", str(file))
    assert (undone["applied"], undone["version"], undone["conflicts"]) == (True, 3, [])
    exported = shell.run("export", "--version", "2")
    back = shell.run("apply", "-", "--author", "mara", text=exported.out)
    assert (back.code, "Version 4 is in force" in back.out) == (0, True)
    assert [row["version"] for row in as_json(shell, "history")] == [4, 3, 2, 1]


async def test_keys_are_made_listed_and_revoked(post: Running, shell: Shell) -> None:
    made = as_json(shell, "keys", "create", "survey", "--scope", "feedback:test", "--days", "30")
    token = {"LISTENINGPOST_CLI__KEY": made["token"]}
    assert made["token"] not in shell.run("keys", "list").out

    async def takes(code: int) -> bool:
        return shell.run("send", "--mode", "test", "A test.", "--key", made["token"]).code == code

    await until(lambda: takes(0), within_s=5, what="the new key opens the door")
    assert token
    assert as_json(shell, "keys", "revoke", made["id"]) == {"id": made["id"], "revoked": True}
    await until(lambda: takes(1), within_s=5, what="the revoked key opens nothing")
    assert shell.run("keys", "revoke", made["id"]).code == 1
    state = {key["id"]: key["revoked_at"] for key in as_json(shell, "keys", "list")}
    assert state[made["id"]]


async def test_dead_letters_are_listed_shown_and_put_back_once(
    post: Running, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(shell.home))
    note = local.running()
    assert note is not None
    servers = note.env["LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS"]
    publisher = Publisher(KafkaSettings(bootstrap_servers=servers, idempotence=False), source="a test")
    await publisher.start()
    try:
        await publisher.publish_raw(RECEIVED.name, [(b"x", b"{this is no event", [])])
    finally:
        await publisher.stop()

    def listed() -> list[dict[str, Any]]:
        return [json.loads(line) for line in shell.run("dead-letters", "--json").out.splitlines()]

    (letter,) = await until(listed, within_s=30, what="the dead letter is listed")
    assert letter["reason"] == "malformed"
    assert letter["service"] == "classifier"
    shown = shell.run("dead-letters", letter["position"])
    assert "{this is no event" in shown.out
    assert as_json(shell, "replay", "--reason", "malformed", "--dry-run")["found"] == 1
    assert as_json(shell, "replay", "--reason", "malformed")["replayed"] == 1
    # Its cause is not mended, so it comes back as a new one; the old one is not shown any more.
    (again,) = await until(listed, within_s=30, what="it has come back")
    assert again["position"] != letter["position"]


async def test_quarantine_lists_and_shows_what_is_no_feedback(post: Running, shell: Shell) -> None:
    note = json.loads(
        (shell.home / f"listeningpost-{os.getuid()}" / "local.json").read_text(encoding="utf-8")
    )
    store = Store(MongoSettings(uri=SecretStr(note["env"]["LISTENINGPOST_MONGO__URI"])))
    kept = Quarantined("q1", "mail", "mail", QuarantineReason.LOOP, "our own", b"From: us\x1b[31m\n", 99, NOW)
    await store.start()
    try:
        await QuarantineStore(store).keep([kept])
    finally:
        await store.stop()
    table = shell.run("quarantine").out
    assert all(word in table for word in ("q1", "mail", "loop", "our own"))
    (found,) = [json.loads(line) for line in shell.run("quarantine", "--json").out.splitlines()]
    assert (found["id"], found["reason"]) == ("q1", "loop")
    assert shell.run("quarantine", "--reason", "bounce", "--json").out == ""
    shown = shell.run("quarantine", "show", "q1")
    assert "From: us·[31m" in shown.out
    assert as_json(shell, "quarantine", "show", "q1")["content"] == "From: us\x1b[31m\n"
    assert shell.run("quarantine", "show", "q2").code == 1


async def test_which_ones_must_be_said_before_anything_is_put_back(post: Running, shell: Shell) -> None:
    assert shell.run("replay").code == 2
    assert shell.run("replay", "feedback.received.v1.dlq/0/999").code == 1


async def test_nothing_here_is_a_sentence_and_3(shell: Shell) -> None:
    nowhere = {
        "LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "LISTENINGPOST_MONGO__URI": "mongodb://127.0.0.1:1/?replicaSet=x",
        "LISTENINGPOST_MONGO__SERVER_SELECTION_TIMEOUT_MS": "200",
        "LISTENINGPOST_CLI__INGEST_URL": "http://127.0.0.1:1",
        "LISTENINGPOST_CLI__KEY": SecretStr("lp_x").get_secret_value(),
    }
    for command in (
        ["topics"],
        ["apply"],
        ["export"],
        ["history"],
        ["keys", "list"],
        ["dead-letters"],
        ["quarantine"],
        ["send", "Hello"],
        ["tail"],
    ):
        done = shell.run(*command, env=nowhere)
        assert done.code == 3, (command, done)
        assert "Traceback" not in done.err
        assert done.out == ""
        assert "waiting" not in done.err
    done = shell.run("doctor", env=nowhere)
    assert done.code == 1
    assert "→" in done.out


async def test_tail_without_kafka_is_a_sentence_and_3(post: Running, shell: Shell) -> None:
    note = json.loads(
        (shell.home / f"listeningpost-{os.getuid()}" / "local.json").read_text(encoding="utf-8")
    )
    half = {"LISTENINGPOST_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = shell.run(
        "tail", env={"LISTENINGPOST_MONGO__URI": note["env"]["LISTENINGPOST_MONGO__URI"], **half}
    )
    assert done.code == 3
    assert "Traceback" not in done.err


async def test_a_variable_that_is_none_is_named_with_2(shell: Shell) -> None:
    done = shell.run("topics", env={"LISTENINGPOST_KAKFA__BOOTSTRAP_SERVERS": "x"})
    assert done.code == 2
    assert "LISTENINGPOST_KAKFA__BOOTSTRAP_SERVERS" in done.err


async def test_a_note_goes_to_its_readers_and_its_writer_is_thanked(post: Running, shell: Shell) -> None:
    async with going_on(shell, "tail", "--json", "--from-start") as tail:
        words = ("note", "add", "The bill is clear at last.", "--by", "joao-pereira", "--kind", "lunch")
        kept = as_json(
            shell, *words, "--for", "Amelia Hart", "--account", "brightwater", "--when", "2026-01-05"
        )
        await tail.says(kept["feedback_id"], within_s=30)
        line = next(line for line in tail.out.splitlines() if kept["feedback_id"] in line)
    piece = json.loads(line)
    assert (piece["occasion"], piece["reported_by"]["person_id"]) == ("lunch", "joao-pereira")
    assert (piece["spoken_for"]["display_name"], piece["spoken_for"]["persona"]) == ("Amelia Hart", "it-lead")
    assert {"maren-voss", "contributor"} <= {told["who"] for told in piece["told"]}
    nobody = shell.run("note", "add", "Hello.", "--by", "joao-pereria", "--kind", "talk")
    assert nobody.code == 1
    assert "did you mean 'joao-pereira'?" in nobody.out
    assert shell.run("note", "add", "--kind", "talk", text="").code == 2
