"""`python -m tests.load`: how much, how fast, at what cost. Progress on stderr, the result on stdout."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import uvloop

from tests.load import accepted, beside, report, start, stored, whole


@dataclass(frozen=True, slots=True)
class Extent:
    """How long it all takes."""

    pairs: int
    events: int
    probe_s: float
    hold_s: float
    rows: int
    alone_s: float
    starts: int


FULL = Extent(pairs=5, events=30_000, probe_s=10, hold_s=60, rows=20_000, alone_s=60, starts=5)
QUICK = Extent(pairs=2, events=10_000, probe_s=3, hold_s=10, rows=10_000, alone_s=15, starts=2)


def main() -> None:
    options = _options()
    extent = QUICK if options.quick else FULL
    result = uvloop.run(_run(options, extent))
    result["machine"] = report.machine(apache=options.apache_kafka)
    text = json.dumps(result, indent=2) if options.json else report.text(result)
    sys.stdout.write(f"{text}\n")


async def _run(options: argparse.Namespace, extent: Extent) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if options.part in {"stored", "all"}:
        _say(f"(a) accepted → stored: {options.pairs or extent.pairs} pairs of {extent.events} pieces")
        pairs = await stored.run_pairs(
            options.pairs or extent.pairs, extent.events, apache=options.apache_kafka, say=_say
        )
        result["stored"] = report.stored(pairs)
    if options.part in {"accepted", "all"}:
        _say(f"(c) accepted: {options.pairs or extent.pairs} pairs of {extent.events} pieces")
        ways = await accepted.run(
            options.pairs or extent.pairs, extent.events, apache=options.apache_kafka, say=_say
        )
        result["accepted"] = report.accepted(ways)
    if options.part in {"whole", "all"}:
        _say("(b) the whole way: looking for the highest rate that is held")
        async with whole.bench(apache=options.apache_kafka) as bench:
            hold_s = options.hold or extent.hold_s
            if options.rate:
                windows = [await bench.window(options.rate, hold_s)]
                _say(whole.line(windows[0]))
            else:
                windows = await whole.highest_rate(bench, extent.probe_s, hold_s, _say)
        result["whole"] = report.whole(windows)
    if options.part in {"beside", "all"}:
        rows = options.rows or extent.rows
        _say(f"(d) live pieces beside an import of {rows:,} rows")
        measured = await beside.measure(rows, extent.alone_s, _say, apache=options.apache_kafka)
        result["beside"] = report.beside(measured)
    if options.part in {"start", "all"}:
        _say("(e) from the start of a process until it is ready")
        starts = await start.measure(options.pairs or extent.starts, _say, apache=options.apache_kafka)
        result["start"] = report.starts(starts)
    return result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument(
        "part",
        nargs="?",
        choices=("all", "stored", "accepted", "whole", "beside", "start"),
        default="all",
        help="stored, accepted: against the bare minimum; whole: until the notices are received;"
        " beside: the same while an import is poured in; start: until a service is ready",
    )
    parser.add_argument("--quick", action="store_true", help="about two minutes, and rough")
    parser.add_argument(
        "--apache-kafka", action="store_true", help="on Apache Kafka, not the embedded broker"
    )
    parser.add_argument("--pairs", type=int, help="stored, accepted: how many pairs; start: how many times")
    parser.add_argument("--rate", type=float, help="whole: only this many pieces a second")
    parser.add_argument("--hold", type=float, help="whole: for so many seconds")
    parser.add_argument("--rows", type=int, help="beside: how many rows are imported")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    return parser.parse_args()


_STARTED_S = time.monotonic()


def _say(line: str) -> None:
    sys.stderr.write(f"[{time.monotonic() - _STARTED_S:5.0f} s] {line}\n")


if __name__ == "__main__":
    main()
