from __future__ import annotations

import pytest

from shared.telemetry import trace

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_child_keeps_the_trace_and_its_flags_and_has_a_span_of_its_own() -> None:
    version, trace_id, span, flags = trace.start(PARENT).split("-")
    assert (version, trace_id, flags) == ("00", "4bf92f3577b34da6a3ce929d0e0e4736", "01")
    assert len(span) == 16
    assert span != "00f067aa0ba902b7"
    assert trace.start(PARENT[:-2] + "00").endswith("-00")


@pytest.mark.parametrize(
    "incoming",
    [
        None,
        "",
        "nonsense",
        PARENT.upper(),
        PARENT + "\n",
        PARENT + "-extra",
        "ff" + PARENT[2:],
        PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        PARENT.replace("00f067aa0ba902b7", "0" * 16),
    ],
)
def test_what_is_no_traceparent_begins_a_new_trace(incoming: str | None) -> None:
    made = trace.start(incoming)
    assert made.endswith("-01")
    assert trace.trace_id(made) not in {"", "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert trace.trace_id(incoming or "") == ""


def test_all_parts_of_a_way_share_the_trace_id() -> None:
    first = trace.start()
    assert trace.trace_id(trace.start(first)) == trace.trace_id(first) != trace.trace_id(trace.start())
