"""What every receiver promises, tried on each against the other side's real protocol on a socket."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.notifier import receivers
from services.notifier.receivers import RECEIVERS
from shared.domain.delivery import Content, Delivery, Purpose, Target
from shared.domain.summary import Count, Quote, Summary, Tally
from shared.errors import ListeningPostError, PermanentError, Reason, TransientError, UnknownOutcome
from tests.support.company import NOW
from tests.support.receiver_benches import BENCHES, PASSWORD, Bench, settings

SAID = "The tax line on my invoice is *wrong* & <https://evil.example|free money> <!channel>"
ROW = Delivery(
    id="0b5e1f0e-6b1c-5b0a-9a54-0f6f5f7f1c01",
    notice_id="n-1",
    feedback_id="f-1",
    purpose=Purpose.NOTICE,
    recipient="pia",
    chain=(),
    due_at=NOW,
    revision=1,
    received_at=NOW,
    content=Content(
        title="Invoice",
        text=SAID,
        who="Cora (customer, Acme)",
        channel="mail",
        touchpoints=("Invoice",),
        polarity="change",
        kind="problem",
        about="us",
        occurred_at=NOW,
    ),
    why=("You own *Invoice*",),
)


#: As little, as much and as odd as can be in one.
SUMMARIES = [
    Summary("", 0, 0, 0, 0, 0, NOW, NOW),
    Summary(
        name="x" * 60,
        pieces=10**9,
        of_all=10**9,
        keep=10**9,
        change=10**9,
        needs_triage=10**9,
        first_at=NOW,
        last_at=NOW,
        origins=tuple(Count("o" * 500, n) for n in range(50)),
        touchpoints=tuple(Tally("t" * 300, n, n, n) for n in range(50)),
        lenses=tuple(Count("l" * 40, n) for n in range(8)),
        quotes=tuple(Quote("f", "q" * 280, "w" * 500, ("t" * 300,) * 10, "change") for _ in range(5)),
    ),
    Summary(
        name="&<>" * 20,
        pieces=1,
        of_all=2,
        keep=0,
        change=1,
        needs_triage=0,
        first_at=NOW,
        last_at=NOW,
        origins=(Count("line\r\nBcc: everybody@brightline.example", 1),),
        touchpoints=tuple(Tally("&<>" * 100, 1, 0, 1) for _ in range(50)),
        quotes=tuple(Quote("f", "<!channel> {{ 7*7 }}" * 14, "&<>" * 100, (), "keep") for _ in range(5)),
    ),
    Summary(
        name="größer 日本語",
        pieces=1,
        of_all=1,
        keep=1,
        change=0,
        needs_triage=0,
        first_at=NOW,
        last_at=NOW,
        quotes=(Quote("f", "👩🏽‍🚀 \u202etxet\n.\n..", "Ångström", ("Ñandú",), "mixed"),),
    ),
]


def test_every_file_is_registered() -> None:
    folder = Path(receivers.__file__).parent
    assert {file.stem for file in folder.glob("*.py")} - {"__init__"} == set(RECEIVERS) == set(BENCHES)


@pytest.fixture(params=sorted(RECEIVERS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def bench(name: str) -> AsyncIterator[Bench]:
    bench = BENCHES[name]()
    await bench.open()
    yield bench
    await bench.close()


async def failing(bench: Bench, kind: type[ListeningPostError], row: Delivery = ROW) -> ListeningPostError:
    """The error that sending ends in; whatever it is, it tells nothing it should not."""
    with pytest.raises(ListeningPostError) as raised:
        await bench.receiver.send(row, bench.target)
    error = raised.value
    told = "".join(traceback.format_exception(error)) + repr(error)
    # The traceback quotes our own source, so only what was made at run time is looked for.
    for secret in (*bench.secrets, PASSWORD, SAID, "tax line", "Cora"):
        assert secret not in told
    assert type(error) is kind
    return error


async def test_it_arrives_under_the_delivery_s_id(bench: Bench) -> None:
    ref = await bench.receiver.send(ROW, bench.target)
    assert bench.taken() == [ROW.id]
    assert ref.receiver == bench.receiver.name


async def test_a_repetition_has_the_same_id(bench: Bench) -> None:
    await bench.receiver.send(ROW, bench.target)
    await bench.receiver.send(ROW, bench.target)
    assert bench.taken() == [ROW.id, ROW.id]


async def test_many_at_once_arrive_once_each(bench: Bench) -> None:
    from asyncio import gather  # noqa: PLC0415

    rows = [replace(ROW, id=f"delivery-{i:03d}") for i in range(40)]
    await gather(*(bench.receiver.send(row, bench.target) for row in rows))
    assert sorted(bench.taken()) == [row.id for row in rows]


async def test_refused_for_now_is_transient(bench: Bench) -> None:
    bench.refuse_for_now()
    error = await failing(bench, TransientError)
    assert isinstance(error, TransientError)
    assert error.retry_after_s in {None, 7.0}
    assert bench.receiver.name == "email" or error.retry_after_s == 7.0


async def test_refused_for_good_is_permanent(bench: Bench) -> None:
    bench.refuse_for_good()
    error = await failing(bench, PermanentError)
    assert isinstance(error, PermanentError)
    assert error.reason is Reason.REJECTED


async def test_nobody_there_is_transient(bench: Bench) -> None:
    await bench.go_away()
    error = await failing(bench, TransientError)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.UNREACHABLE


async def test_gone_between_two_messages_is_no_doubt(bench: Bench) -> None:
    await bench.receiver.send(ROW, bench.target)
    await bench.go_away()
    await failing(bench, TransientError)


async def test_cut_after_the_message_is_in_doubt(bench: Bench) -> None:
    bench.hang_up()
    await failing(bench, UnknownOutcome)


async def test_silence_after_the_message_is_in_doubt(bench: Bench) -> None:
    bench.fall_silent()
    await failing(bench, UnknownOutcome)


async def test_it_works_again_after_trouble(bench: Bench) -> None:
    bench.hang_up()
    await failing(bench, UnknownOutcome)
    await bench.close()
    fresh = BENCHES[bench.receiver.name]()
    await fresh.open()
    await fresh.receiver.send(ROW, fresh.target)
    assert fresh.taken() == [ROW.id]
    await fresh.close()
    await bench.open()


async def test_an_address_that_is_none_is_refused_and_not_repeated(bench: Bench) -> None:
    odd = "x\r\nBcc: everybody@brightline.example"
    with pytest.raises(PermanentError) as raised:
        await bench.receiver.send(ROW, replace(bench.target, address=odd))
    assert "everybody" not in str(raised.value)
    assert bench.taken() == []


@pytest.mark.parametrize(
    "content",
    [
        Content(),
        Content(text="x" * 2000, title="&" * 500, shortened=True),
        Content(text="&<>" * 600, who="&<>" * 3000, polarity="mixed"),
        Content(title="line\r\nBcc: everybody@brightline.example", text="line\nline\r\nline\x00\x1b[31m"),
        Content(
            text="größer, où, ñ, 日本語, 👩🏽‍🚀, \u202etxet", touchpoints=("Ångström 🚀",), polarity="keep"
        ),
        Content(text="> quoted\n.\n..\nFrom here\n```\n{{ 7*7 }}\n</blockquote><script>"),
    ],
    ids=["empty", "long", "escapes", "control", "scripts", "markup"],
)
async def test_whatever_was_said_can_be_sent(bench: Bench, content: Content) -> None:
    await bench.receiver.send(replace(ROW, content=replace(content, occurred_at=NOW)), bench.target)
    assert bench.taken() == [ROW.id]


@pytest.mark.parametrize("summary", SUMMARIES, ids=["empty", "long", "escapes", "scripts"])
async def test_whatever_comes_together_can_be_summed_up(bench: Bench, summary: Summary) -> None:
    row = replace(ROW, content=Content(), purpose=Purpose.SUMMARY, feedback_id="", summary=summary)
    await bench.receiver.send(row, bench.target)
    assert bench.taken() == [ROW.id]


async def test_without_configuration_it_says_so(name: str) -> None:
    receiver = RECEIVERS[name](settings())
    await receiver.start()
    try:
        with pytest.raises(PermanentError) as raised:
            await receiver.send(ROW, BENCH_TARGETS[name])
    finally:
        await receiver.stop()
    assert raised.value.reason in {Reason.CONFIGURATION, Reason.FORBIDDEN}


BENCH_TARGETS = {
    "email": Target("email", "cora@acme.example"),
    "slack": Target("slack", "C0FEEDBACK"),
    "webhook": Target("webhook", "http://127.0.0.1:9/hook"),
}
