"""The figures as JSON and as text."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from shared import clock
from tests.load.accepted import Pair
from tests.load.beside import LIMIT_S, Beside
from tests.load.company import RECIPIENTS
from tests.load.start import LIMIT_S as READY_LIMIT_S
from tests.load.start import SERVICES, Starts
from tests.load.stored import Rate
from tests.load.window import P99_LIMIT_S, Window

RATIO_TARGET = 0.40
RATE_TARGET = 100.0
#: By way of sending, against a bare producer or a bare server.
ACCEPTED_TARGETS = {"batches": 0.35, "imports": 0.35, "single": 0.5}
_MIB = 1_048_576


def machine(*, apache: bool) -> dict[str, Any]:
    """Where and when: a figure without it is worth nothing."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "at": clock.now().isoformat(timespec="seconds"),
        "processor": models[0] if models else platform.machine(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg(),
        "python": platform.python_version(),
        "broker": "Apache Kafka" if apache else "embedded",
    }


def stored(pairs: Sequence[tuple[Rate, Rate]]) -> dict[str, Any]:
    ratios = [ours.per_s / bare.per_s for ours, bare in pairs]
    return {
        "pairs": [
            {"ours": _rate(ours), "bare": _rate(bare), "ratio": round(ratio, 3)}
            for (ours, bare), ratio in zip(pairs, ratios, strict=True)
        ],
        "ours_per_s": round(median(ours.per_s for ours, _ in pairs)),
        "bare_per_s": round(median(bare.per_s for _, bare in pairs)),
        "ratio": round(median(ratios), 3),
        "spread": [round(min(ratios), 3), round(max(ratios), 3)],
        "cpu_ratio": round(
            median(sum(bare.cpu_us.values()) / sum(ours.cpu_us.values()) for ours, bare in pairs), 3
        ),
        "target": RATIO_TARGET,
        "met": median(ratios) >= RATIO_TARGET,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "events": rate.events,
        "per_s": round(rate.per_s),
        "accepted_s": round(rate.accepted_s, 3),
        "stored_s": round(rate.stored_s, 3),
        "cpu_us": {name: round(value) for name, value in rate.cpu_us.items()},
        "event_bytes": rate.size.event,
        "document_bytes": rate.size.document,
    }


def accepted(ways: Mapping[str, Sequence[Pair]]) -> dict[str, Any]:
    return {
        way: {
            "pairs": [
                {"ours": round(pair.ours), "bare": round(pair.bare), "ratio": round(pair.ratio, 3)}
                for pair in pairs
            ],
            "ratio": round(median(pair.ratio for pair in pairs), 3),
            "target": ACCEPTED_TARGETS[way],
            "met": median(pair.ratio for pair in pairs) >= ACCEPTED_TARGETS[way],
        }
        for way, pairs in ways.items()
    }


def whole(windows: Sequence[Window]) -> dict[str, Any]:
    last = windows[-1]
    rate = 0.0 if last.faults else last.rate
    return {
        "rate": round(rate, 1),
        "recipients": RECIPIENTS,
        "p99_limit_s": P99_LIMIT_S,
        "target": RATE_TARGET,
        "met": rate >= RATE_TARGET,
        "windows": [asdict(window) | {"faults": window.faults} for window in windows],
    }


def beside(measured: Beside) -> dict[str, Any]:
    imported, window = measured.imported, measured.beside
    lost = window.missing or window.repeated or window.refused
    return {
        "rows": imported.rows,
        "accepted_per_s": round(imported.rows / imported.accepted_s),
        "stored_per_s": round(imported.rows / imported.stored_s),
        "live_rate": window.rate,
        "p99_limit_s": LIMIT_S,
        "met": not lost and window.latency.p99_s < LIMIT_S,
        "alone": asdict(measured.alone),
        "beside": asdict(window),
    }


def starts(measured: Starts) -> dict[str, Any]:
    """By service, medians; every single start beside them."""
    return {
        "limit_s": READY_LIMIT_S,
        "met": all(start.wall_s < READY_LIMIT_S for start in measured.alone),
        **{
            how: {
                name: {
                    "wall_s": round(median(one.wall_s for one in found if one.service == name), 2),
                    "cpu_s": round(median(one.cpu_s for one in found if one.service == name), 2),
                    "each": [asdict(one) for one in found if one.service == name],
                }
                for name in SERVICES
            }
            for how, found in (("alone", measured.alone), ("together", measured.together))
        },
    }


def text(result: Mapping[str, Any]) -> str:
    where = result["machine"]
    lines = [
        (
            f"{where['at']}, {where['processors']} x {where['processor']}, Python {where['python']},"
            f" {where['broker']} broker, load {where['load_average'][0]:.1f}"
        )
    ]
    if "stored" in result:
        lines += _stored_lines(result["stored"])
    if "accepted" in result:
        lines += _accepted_lines(result["accepted"])
    if "whole" in result:
        lines += _whole_lines(result["whole"])
    if "beside" in result:
        lines += _beside_lines(result["beside"])
    if "start" in result:
        lines += _start_lines(result["start"])
    return "\n".join(lines)


def _beside_lines(part: Mapping[str, Any]) -> list[str]:
    lines = [
        "",
        f"(d) {part['live_rate']:.0f} live pieces a second beside an import of {part['rows']:,} rows",
        (
            f"  accepted {part['accepted_per_s']:,} rows/s, stored {part['stored_per_s']:,} rows/s;"
            f" target: live p99 < {part['p99_limit_s']} s: {_verdict(part)}"
        ),
    ]
    for name in ("alone", "beside"):
        window, latency = part[name], part[name]["latency"]
        lines.append(
            f"  {name:7} p50 {latency['p50_s']:.3f}  p90 {latency['p90_s']:.3f}  p99 {latency['p99_s']:.3f}"
            f"  max {latency['max_s']:.3f} s   {window['pieces']} pieces in {window['duration_s']:.0f} s,"
            f" {window['missing']} notices missing, {len(window['refused'])} refused"
        )
    return lines


def _start_lines(part: Mapping[str, Any]) -> list[str]:
    lines = [
        "",
        "(e) from the start of a process until it is ready: seconds, and seconds of processor time",
    ]
    for how in ("alone", "together"):
        each = [f"{name} {part[how][name]['wall_s']:.1f}/{part[how][name]['cpu_s']:.1f}" for name in SERVICES]
        lines.append(f"  {how:8} {', '.join(each)}")
    lines.append(f"  target: alone every time < {part['limit_s']:.0f} s: {_verdict(part)}")
    return lines


def _stored_lines(part: Mapping[str, Any]) -> list[str]:
    lines = ["", "(a) accepted → stored, constant tagger, nobody told", "     ours/s   bare/s   ratio"]
    for number, pair in enumerate(part["pairs"], start=1):
        lines.append(
            f"  {number}  {pair['ours']['per_s']:7,}  {pair['bare']['per_s']:7,}  {pair['ratio']:6.2f}"
        )
    low, high = part["spread"]
    lines.append(
        f"  median {part['ratio']:.2f} ({low:.2f} to {high:.2f}), of processor time {part['cpu_ratio']:.2f};"
        f" target {part['target']:.2f}: {_verdict(part)}"
    )
    for side in ("ours", "bare"):
        run = part["pairs"][-1][side]
        cost = ", ".join(f"{name} {value}" for name, value in run["cpu_us"].items())
        lines.append(
            f"  {side}: µs of processor time an event: {cost};"
            f" {run['event_bytes']} bytes on the wire, {run['document_bytes']} stored"
        )
    return lines


def _accepted_lines(part: Mapping[str, Any]) -> list[str]:
    lines = ["", "(c) accepted, every step of ingest on, against a bare producer or server"]
    for way, found in part.items():
        pairs = ", ".join(f"{p['ours']:,}/{p['bare']:,} = {p['ratio']:.2f}" for p in found["pairs"])
        lines.append(
            f"  {way:8} median {found['ratio']:.2f}; target {found['target']:.2f}:"
            f" {_verdict(found)}   ({pairs})"
        )
    return lines


def _whole_lines(part: Mapping[str, Any]) -> list[str]:
    window = part["windows"][-1]
    latency = window["latency"]
    lines = [
        "",
        f"(b) the whole way, real tagger, {part['recipients']} recipients a piece, open loop",
        (
            f"  held {part['rate']:.0f}/s for {window['duration_s']:.0f} s;"
            f" target {part['target']:.0f}/s with p99 < {part['p99_limit_s']} s: {_verdict(part)}"
        ),
        (
            f"  p50 {latency['p50_s']:.3f}  p90 {latency['p90_s']:.3f}  p99 {latency['p99_s']:.3f}"
            f"  max {latency['max_s']:.3f} s   ({window['machine_busy']:.0%} of the machine busy)"
        ),
    ]
    if window["faults"]:
        lines.append(f"  last tried {window['rate']:.0f}/s: {', '.join(window['faults'])}")
    for name, cost in window["costs"].items():
        lines.append(
            f"  {name:10} {cost['cpu_us'] / 1000:6.2f} ms of processor time a piece,"
            f" {cost['rss_bytes'] / _MIB:4.0f} MiB (peak {cost['peak_bytes'] / _MIB:.0f})"
        )
    return lines


def _verdict(part: Mapping[str, Any]) -> str:
    return "met" if part["met"] else "MISSED"
