"""What came of sending at a constant rate for a while, and whether that rate was held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hdrh.histogram import HdrHistogram

from tests.load.company import RECIPIENTS
from tests.load.proc import Usage

P99_LIMIT_S = 1.5
_HIGHEST_US = 120_000_000
_DIGITS = 3
#: What is always under way, and no lag: half a second's worth.
_UNDER_WAY_S = 0.5
_GROWN = 1.5


@dataclass(frozen=True, slots=True)
class Percentiles:
    """In seconds; of notices, from the intended sending of their piece to their arrival."""

    p50_s: float
    p90_s: float
    p99_s: float
    max_s: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one process: processor time a piece, and memory."""

    cpu_us: float
    rss_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Window:
    """`lag` is how many notices were due but not received, twice a second. `machine_busy` is a share."""

    rate: float
    duration_s: float
    pieces: int
    missing: int
    repeated: int
    refused: tuple[str, ...]
    latency: Percentiles
    lag: tuple[int, ...]
    machine_busy: float
    costs: dict[str, Cost]

    @property
    def growing(self) -> bool:
        """Whether more was waiting in the last quarter than in the second."""
        quarter = len(self.lag) // 4
        if not quarter:
            return False
        earlier = sum(self.lag[quarter : 2 * quarter]) / quarter
        later = sum(self.lag[-quarter:]) / quarter
        return later > _GROWN * earlier + self.rate * RECIPIENTS * _UNDER_WAY_S

    @property
    def faults(self) -> list[str]:
        """Why this rate was not held; empty when it was."""
        found = []
        if self.missing:
            found.append(f"{self.missing} notices missing")
        if self.repeated:
            found.append(f"{self.repeated} notices repeated")
        if self.refused:
            found.append(f"{len(self.refused)} pieces refused ({self.refused[0]})")
        if self.latency.p99_s >= P99_LIMIT_S:
            found.append(f"p99 {self.latency.p99_s:.2f} s")
        if self.growing:
            found.append("growing lag")
        return found


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Of at least one value."""
    histogram = HdrHistogram(1, _HIGHEST_US, _DIGITS)
    for value in seconds:
        histogram.record_value(min(_HIGHEST_US, max(1, int(value * 1e6))))
    p50, p90, p99 = (histogram.get_value_at_percentile(percent) / 1e6 for percent in (50, 90, 99))
    return Percentiles(p50, p90, p99, histogram.get_max_value() / 1e6)


def costs(before: Mapping[str, Usage], after: Mapping[str, Usage], number: int) -> dict[str, Cost]:
    """By process, for `number` pieces."""
    return {
        name: Cost(
            (after[name].cpu_s - before[name].cpu_s) / max(1, number) * 1e6,
            after[name].rss_bytes,
            after[name].peak_bytes,
        )
        for name in before
    }
