"""Reading and writing a large directory, against what PyYAML takes for it in Python on this machine."""

from __future__ import annotations

import gc
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import yaml

from shared.domain.declaration import InvalidDeclaration, read_workspace
from shared.domain.workspace import Workspace
from shared.domain.yaml_text import write_workspace
from tests.support.company import COMPANY

#: A tenth of ten thousand: it shows the same, and the slow ways take two seconds.
_ACCOUNTS = 1_000


def company() -> Workspace:
    accounts = [
        {
            "id": f"account-{n}",
            "name": f"Müller & Sons {n}",
            "domains": [f"account{n}.example", f"a{n}.example"],
            "tier": "gold",
            "yearly_value": 21_000 + n,
            "renewal": "2027-03-31",
            "contacts": [{"email": f"olivia@account{n}.example", "name": "Olivia Reed"}],
        }
        for n in range(_ACCOUNTS)
    ]
    return Workspace.model_validate({**COMPANY, "accounts": accounts})


@contextmanager
def uncollected() -> Iterator[None]:
    """The command does so as well, and what others left here is no part of the measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def fastest_s(work: Callable[[], object], times: int) -> float:
    """Processor time: other programs do not count."""
    found = []
    with uncollected():
        for _ in range(times):
            began = time.process_time()
            work()
            found.append(time.process_time() - began)
    return min(found)


@pytest.fixture(scope="module")
def text() -> str:
    return write_workspace(company())


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without its C library")
def test_it_is_read_several_times_faster_than_pyyaml_alone_does_it(text: str) -> None:
    plain_s = fastest_s(lambda: yaml.load(text, Loader=yaml.SafeLoader), times=1)
    assert fastest_s(lambda: read_workspace(text), times=3) < plain_s / 3


def test_it_is_written_several_times_faster_than_pyyaml_alone_does_it() -> None:
    workspace = company()
    values = workspace.model_dump(mode="json", by_alias=True)
    plain_s = fastest_s(lambda: yaml.dump(values, io.StringIO(), yaml.SafeDumper), times=1)
    assert fastest_s(lambda: write_workspace(workspace), times=3) < plain_s / 3


def test_a_fault_in_it_still_has_its_line(text: str) -> None:
    line = next(n for n, said in enumerate(text.splitlines(), 1) if "olivia@account777." in said)
    broken = text.replace("olivia@account777.example", "olivia at account777")
    with pytest.raises(InvalidDeclaration) as caught:
        read_workspace(broken)
    (flaw,) = caught.value.flaws
    assert flaw.spot.line == line
