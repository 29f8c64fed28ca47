"""Writes `deploy/prometheus/rules/slos.yml`: what we promise, and alerts on how fast it is used up.

`python -m deploy.config.slos`. Source: The Site Reliability Workbook, chapter 5, alert on several windows and
burn rates: a budget of 30 days would be gone in two days (14.4), five (6), ten (3) or thirty (1).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

_WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
#: (long, short, burn rate); the short one ends the alert soon after the trouble has ended.
_PAGE = (("1h", "5m", 14.4), ("6h", "30m", 6.0))
_TICKET = (("1d", "2h", 3.0), ("3d", "6h", 1.0))
#: Of fewer than these in the long window, one that went wrong says nothing.
_LEAST = 20

_PROMISED = "Promised are {:.1%} over 30 days; {{{{ $value | humanizePercentage }}}} go wrong."

_HEAD = """\
# Written by `python -m deploy.config.slos`; a test compares it with that.
groups:
"""


@dataclass(frozen=True, slots=True)
class Slo:
    """`good` and `total` are counters; the share of good ones is to be at least `objective` over 30 days."""

    name: str
    alert: str
    objective: float
    good: str
    total: str
    summary: str

    def ratio(self, window: str) -> str:
        return f"listeningpost:{self.name}:bad:ratio_rate{window}"


SLOS = (
    Slo(
        "doors",
        "DoorsRefuseTooMuch",
        0.999,
        'listeningpost_http_request_seconds_count{job="ingest",route=~"/v1/.*",status!="5xx"}',
        'listeningpost_http_request_seconds_count{job="ingest",route=~"/v1/.*"}',
        "Doors answer 5xx: senders have to come again",
    ),
    Slo(
        "answers",
        "DoorsAnswerSlowly",
        0.99,
        'listeningpost_http_request_seconds_bucket{job="ingest",route=~"/v1/.*",le="1.0"}',
        'listeningpost_http_request_seconds_count{job="ingest",route=~"/v1/.*"}',
        "Doors take longer than 1 s: Slack gives up after 3 s",
    ),
    Slo(
        "stored",
        "StoredLate",
        0.99,
        'listeningpost_stored_after_seconds_bucket{mode="live",le="2.5"}',
        'listeningpost_stored_after_seconds_count{mode="live"}',
        "Live pieces take longer than 2.5 s until they are tagged and stored",
    ),
    Slo(
        "delivered",
        "DeliveredLate",
        0.95,
        'listeningpost_delivered_after_seconds_bucket{purpose="notice",le="5.0"}',
        'listeningpost_delivered_after_seconds_count{purpose="notice"}',
        "Notices take longer than 5 s from the door to whom they concern",
    ),
)


def render() -> str:
    """The whole file."""
    return _HEAD + "\n".join(_group(slo) for slo in SLOS)


def _group(slo: Slo) -> str:
    lines = [f"  - name: slo-{slo.name}", "    rules:"]
    for window in _WINDOWS:
        good = f"(sum(rate({slo.good}[{window}])) or vector(0))"
        lines += [
            f"      - record: {slo.ratio(window)}",
            f"        expr: 1 - {good} / sum(rate({slo.total}[{window}]))",
        ]
    for severity, windows, lasting in (("critical", _PAGE, "2m"), ("warning", _TICKET, "15m")):
        lines += [
            f"      - alert: {slo.alert}",
            "        expr: >-",
            *_burning(slo, windows),
            f"        for: {lasting}",
            f"        labels: {{severity: {severity}, slo: {slo.name}}}",
            "        annotations:",
            f'          summary: "{slo.summary}"',
            f'          description: "{_PROMISED.format(slo.objective)}"',
            f"          runbook_url: docs/runbooks/{slo.alert}.md",
        ]
    return "\n".join(lines) + "\n"


def _burning(slo: Slo, windows: tuple[tuple[str, str, float], ...]) -> list[str]:
    lines = []
    for number, (long, short, rate) in enumerate(windows):
        bound = f"{rate * (1 - slo.objective):.6g}"
        burning = f"{slo.ratio(long)} > {bound} and {slo.ratio(short)} > {bound}"
        enough = f"sum(increase({slo.total}[{long}])) > {_LEAST}"
        lines.append(f"          {'or ' * (number > 0)}({burning} and {enough})")
    return lines


if __name__ == "__main__":
    sys.stdout.write(render())
