"""`listeningpost import` in a process of its own, into a real ingest, on real servers."""

from __future__ import annotations

import asyncio
import csv
import json
import mailbox
import signal
from collections import Counter
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from openpyxl import Workbook

from shared import clock, ids
from shared.domain.api_key import Scope
from shared.events.feedback import Mode
from shared.events.topics import RECEIVED
from shared.settings import KafkaSettings, MongoSettings
from shared.store.api_keys import ApiKeyStore
from shared.store.connection import Store
from tests.support.doors import MAILBOX
from tests.support.importer import Importer, many, table
from tests.support.wait import until

pytestmark = pytest.mark.timeout(240)


async def test_every_row_is_an_import_on_the_bulk_topic_and_nothing_is_live(importer: Importer) -> None:
    told = await importer.json(many(importer.folder / "a.csv", 1_200), "--yes")
    assert (told["accepted"], told["rejected"], told["rows_done"]) == (1_200, 0, 1_200)
    events = await importer.events()
    assert len({event.feedback_id for event in events}) == 1_200
    assert {event.mode for event in events} == {Mode.IMPORT}
    assert {event.batch for event in events} == {told["import"]}
    assert {event.source for event in events} == {"old tool/a"}
    assert not await importer.house.events(RECEIVED.name)


async def test_importing_twice_adds_nothing(importer: Importer) -> None:
    name = many(importer.folder / "a.csv", 700)
    await importer.json(name, "--yes")
    before = await importer.ids()
    said = await importer.run(name, "--yes")
    assert (said.code, "was imported" in said.err, "Nothing was sent" in said.err) == (0, True, True)
    assert len(await importer.events()) == 700
    again = await importer.json(name, "--yes", "--from-start")
    assert again["accepted"] == 700
    assert await importer.ids() == before
    assert len(before) == 700
    (run,) = await importer.runs()
    assert (run.rows_done, run.accepted, run.file_name) == (700, 700, "a.csv")
    assert run.finished_at is not None
    assert dict(run.mapping) == {"comment": "text", "date": "occurred_at"}


async def test_rows_that_were_added_to_the_file_are_all_that_is_sent(importer: Importer) -> None:
    name = many(importer.folder / "a.csv", 600)
    await importer.json(name, "--yes")
    before = await importer.ids()
    many(importer.folder / "a.csv", 650)
    assert (await importer.json(name, "--yes"))["rows_done"] == 650
    assert len(await importer.events()) == 650
    assert len(await importer.ids() - before) == 50


async def test_killed_in_the_middle_it_goes_on_and_misses_and_doubles_nothing(importer: Importer) -> None:
    count = 40_000
    name = many(importer.folder / "a.csv", count)
    killed = 0
    for _ in range(20):
        process = await importer.begin(name, "--yes")
        runs = await importer.runs()
        before = runs[0].rows_done if runs else 0

        async def moved(process: asyncio.subprocess.Process = process, before: int = before) -> bool:
            found = await importer.runs()
            return process.returncode is not None or (bool(found) and found[0].rows_done > before)

        await until(moved, within_s=60, what="it has noted something")
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        await process.communicate()
        if killed == 2:
            break
    assert killed == 2
    done = await importer.run(name, "--yes")
    assert done.code == 0, done.err
    assert "going on after" in done.err
    assert len(await importer.ids()) == count
    texts = Counter(
        event.text for event in {event.feedback_id: event for event in await importer.events()}.values()
    )
    assert len(texts) == count - count // 100
    (run,) = await importer.runs()
    assert (run.rows_done, run.accepted) == (count, count)


async def test_refused_rows_are_in_a_file_that_is_mended_and_imported_by_itself(importer: Importer) -> None:
    rows = [(str(n), f"It is wrong for the {n}th time", "2026-05-04", "3") for n in range(1, 31)]
    rows[3] = ("4", "", "2026-05-04", "")
    rows[7] = ("8", "It is wrong", "2026-55-04", "3")
    rows[9] = ("10", "It will be wrong", "2190-05-04", "3")
    rows[11] = ("12", "It is wrong", "2026-05-04", "9")
    table(importer.folder / "a.csv", [("id", "comment", "date", "rating"), *rows])
    done = await importer.run("a.csv", "--yes", "--map", "rating=rating", "--scale", "1-5")
    assert done.code == 1
    assert "26 kept, 4 refused" in done.out
    assert "a.csv.errors.csv" in done.err
    file = importer.folder / "a.csv.errors.csv"
    with file.open(encoding="utf-8-sig", newline="") as opened:
        refused = list(csv.DictReader(opened))
    assert [(row["import_row"], row["import_field"], row["id"]) for row in refused] == [
        ("5", "text", "4"),
        ("9", "occurred_at", "8"),
        ("11", "occurred_at", "10"),
        ("13", "rating", "12"),
    ]
    assert all(row["import_fault"] and row["import_remedy"] for row in refused)
    for row in refused:
        row |= {"comment": f"mended {row['id']}, it is", "date": "2026-05-04", "rating": "1"}
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(refused[0]))
        writer.writeheader()
        writer.writerows(refused)
    assert (await importer.json(file.name, "--yes"))["accepted"] == 4
    events = await importer.events()
    assert {event.external_id for event in events} == {str(n) for n in range(1, 31)}
    assert {event.source for event in events} == {"old tool/a"}


async def test_a_poll_and_an_import_of_one_thing_are_one_piece(importer: Importer) -> None:
    table(
        importer.folder / "a.csv", [("id", "comment"), *((f"t-{n}", f"It is wrong, {n}") for n in range(5))]
    )
    await importer.json("a.csv", "--yes", "--channel", "zendesk", "--source", "acme")
    assert await importer.ids() == {ids.feedback_id("zendesk", "acme", f"t-{n}") for n in range(5)}


async def test_ndjson_and_workbooks_and_other_encodings_come_in(importer: Importer) -> None:
    lines = [
        json.dumps({"body": f"Die Rechnung ist falsch, Nr. {n}", "ticket": {"id": n}}) for n in range(20)
    ]
    (importer.folder / "tickets.ndjson").write_text("\n".join([*lines, "{broken"]))
    told = await importer.json("tickets.ndjson", "--yes", "--map", "external_id=ticket.id", code=1)
    assert (told["accepted"], told["rejected"]) == (20, 1)
    (line,) = (importer.folder / "tickets.ndjson.errors.ndjson").read_text().splitlines()
    assert json.loads(line)["import_raw"] == "{broken"
    book = Workbook()
    book.worksheets[0].append(["Kommentar", "Datum"])
    for n in range(20):
        book.worksheets[0].append([f"Größe {n} fehlt im Katalog", clock.now().replace(tzinfo=None)])
    book.save(importer.folder / "b.xlsx")
    assert (await importer.json("b.xlsx", "--yes"))["accepted"] == 20
    text = "Kommentar;Name\n" + "".join(f"Die Größe {n} hängt übel;Jörg\n" for n in range(20))
    (importer.folder / "c.csv").write_bytes(text.encode("cp1252"))
    assert (await importer.json("c.csv", "--yes"))["accepted"] == 20
    texts = {event.text for event in await importer.events()}
    assert {"Die Größe 7 hängt übel", "Größe 7 fehlt im Katalog", "Die Rechnung ist falsch, Nr. 7"} <= texts


def letter(number: int, **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ada@customer.example", MAILBOX, f"Bill {number}"
    message["Message-ID"], message["Date"] = f"<{number}@customer.example>", "Mon, 04 May 2026 11:00:00 +0200"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(f"It is wrong for the {number}th time.\n\nFrom Monday on we call you.\n")
    return message


async def test_a_mailbox_is_the_mail_that_came_over_smtp_and_once_only(importer: Importer) -> None:
    letters = [letter(n) for n in range(120)]
    client = aiosmtplib.SMTP(
        hostname="127.0.0.1", port=importer.house.mail_port, use_tls=False, start_tls=False
    )
    async with client:
        await client.send_message(letters[7])
    (live,) = await importer.house.events()
    box = mailbox.mbox(importer.folder / "feedback.mbox")
    for each in [*letters, letter(500, Auto_Submitted="auto-replied")]:
        box.add(each)
    box.close()
    told = await importer.json("feedback.mbox", "--yes", "--set", "touchpoint=invoice")
    assert (told["accepted"], told["quarantined"], told["rejected"]) == (120, 1, 0)
    events = await importer.events()
    assert len({event.feedback_id for event in events}) == 120
    assert live.feedback_id in {event.feedback_id for event in events}
    assert {(event.channel, event.mode, event.batch) for event in events} == {
        ("mail", Mode.IMPORT, told["import"])
    }
    again = await importer.json("feedback.mbox", "--yes", "--set", "touchpoint=invoice", "--from-start")
    assert again["accepted"] == 120
    assert len(await importer.ids()) == 120


async def test_a_dry_run_sends_nothing_and_says_what_is_wrong(importer: Importer) -> None:
    rows = [(f"It is wrong, {n}", "2026-05-04") for n in range(20)]
    table(importer.folder / "a.csv", [("comment", "date"), *rows, ("", "2026-05-04"), ("Soon", "2190-01-01")])
    told = await importer.json("a.csv", "--dry-run")
    assert (told["rows"], told["good"], len(told["samples"])) == (22, 20, 3)
    assert {(bad["field"], bad["first_row"]) for bad in told["bad"]} == {("text", 22), ("occurred_at", 23)}
    assert told["mapping"] == {"comment": "text", "date": "occurred_at"}
    assert not await importer.events()
    assert not await importer.runs()


async def test_without_yes_and_with_nobody_to_ask_nothing_is_imported(importer: Importer) -> None:
    done = await importer.run(many(importer.folder / "a.csv", 10))
    assert done.code == 2
    assert "→ text" in done.err
    assert "--yes" in done.err
    assert not await importer.events()


async def test_an_outage_of_ingest_is_waited_for(
    kafka: KafkaSettings, mongo: MongoSettings, store: Store, tmp_path: Path, importer: Importer
) -> None:
    """A stand-in for the road to ingest, which is closed for a while and then open."""
    name = many(importer.folder / "a.csv", 3_000)
    closed = asyncio.Event()
    ways: list[asyncio.Task[None]] = []

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65_536):
            if closed.is_set():
                break
            writer.write(chunk)
            await writer.drain()
        writer.close()

    async def way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if closed.is_set():
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", importer.house.http.base_url.port)
        ways.extend(asyncio.create_task(each) for each in (carry(reader, back), carry(there, writer)))

    server = await asyncio.start_server(way, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await importer.begin(name, "--yes", "--url", f"http://127.0.0.1:{port}")
    await until(importer.runs, within_s=30, what="it has begun")
    closed.set()
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(60):
        while b"again in" not in said and process.returncode is None:
            said += await process.stderr.read(1_000)
    closed.clear()
    out, err = await process.communicate()
    server.close()
    for task in ways:
        task.cancel()
    await asyncio.gather(*ways, return_exceptions=True)
    assert process.returncode == 0, err
    assert b"ingest does not answer" in said
    assert b"3,000 kept" in out
    assert len(await importer.ids()) == 3_000


async def test_a_key_that_may_not_import_and_an_ingest_that_is_not_there_are_a_sentence(
    importer: Importer,
) -> None:
    name = many(importer.folder / "a.csv", 10)
    _, token = await ApiKeyStore(importer.store).create("widget", [Scope.WRITE], now=clock.now())
    for arguments, code in (
        (["--key", token], 2),
        (["--key", "lp_nobody"], 2),
        (["--url", "http://127.0.0.1:1"], 3),
    ):
        done = await importer.run(name, "--yes", *arguments)
        assert done.code == code, done
        assert "Traceback" not in done.err
        assert "→" in done.err
    assert not await importer.events()
