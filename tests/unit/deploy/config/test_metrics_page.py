"""`docs/metrics.md` says what the list of metrics says, and the list has all of them."""

from __future__ import annotations

from collections import Counter

from prometheus_client import Counter as CounterMetric
from prometheus_client import Gauge, Histogram

from deploy.config import metrics_page
from shared.telemetry import metrics
from tests.support.tree import ROOT


def test_the_page_is_that_of_the_metrics() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert metrics_page.render() == page, (
        "write it anew: python -m deploy.config.metrics_page > docs/metrics.md"
    )


def test_every_metric_stands_in_one_group() -> None:
    defined = [one for one in vars(metrics).values() if isinstance(one, CounterMetric | Gauge | Histogram)]
    grouped = Counter(id(one) for group in metrics.GROUPS.values() for one in group)
    assert grouped == Counter(id(one) for one in defined)
