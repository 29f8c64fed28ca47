"""Writes `docs/metrics.md`: every metric with its meaning. `python -m deploy.config.metrics_page`."""

from __future__ import annotations

import sys

from shared.telemetry.metrics import GROUPS, Metric

_HEAD = """\
# Metrics

Every service answers `GET /metrics` in Prometheus' text format. Labels come from closed sets: no metric
knows a person, a piece or an address. What the process itself uses (`process_cpu_seconds_total`,
`process_resident_memory_bytes`, `process_open_fds`) is there as well.

| golden signal | read it from |
|---|---|
| traffic | `…_http_request_seconds_count`, `…_received_total`, `…_classified_total`, `…_deliveries_total` |
| errors | the same by `status`, `reason` and `state`; `…_items_total` by `outcome` |
| latency | `…_http_request_seconds`, `…_stored_after_seconds`, `…_delivered_after_seconds` |
| saturation | `…_consumer_lag_records`, `…_deliveries_due`, `…_spool_bytes`, `…_event_loop_delay_seconds` |

This page is written by `python -m deploy.config.metrics_page`, from `shared/telemetry/metrics.py`.
"""


def names(metric: Metric) -> tuple[str, ...]:
    """What Prometheus calls its series."""
    (family,) = metric.describe()
    if family.type == "histogram":
        return tuple(f"{family.name}_{part}" for part in ("bucket", "sum", "count"))
    return (f"{family.name}_total",) if family.type == "counter" else (family.name,)


def render() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(_group(title, metrics) for title, metrics in GROUPS.items())])


def _group(title: str, metrics: tuple[Metric, ...]) -> str:
    rows = [_row(metric) for metric in metrics]
    return "\n".join(
        [f"## {title}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|", *rows, ""]
    )


def _row(metric: Metric) -> str:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - there is no other way to them
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


if __name__ == "__main__":
    sys.stdout.write(render())
