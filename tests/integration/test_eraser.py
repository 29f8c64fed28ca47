"""An erasure that cannot be done: the others are, and it is tried again until it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from shared import clock
from shared.domain.erasure import Erasure, Order, Part
from shared.eraser import Eraser
from shared.errors import PermanentError, Reason
from shared.store.connection import Store
from shared.store.erasures import ErasureFollower, ErasureStore
from tests.support.wait import until

WITHIN_S = 20.0


class Stubborn:
    """Cannot forget "stuck" until it is `mended`."""

    def __init__(self) -> None:
        self.tried: list[str] = []
        self.mended = False

    async def forget(self, entry: Erasure, order: Order) -> Mapping[str, int]:
        self.tried.append(entry.id)
        if entry.id == "stuck" and not self.mended:
            raise PermanentError(Reason.MALFORMED, "a document that cannot be read")
        return {"feedback": len(order.people)}


async def test_one_that_cannot_be_done_holds_up_no_other(store: Store) -> None:
    ledger, erasures, forgetting, now = ErasureFollower(store), ErasureStore(store), Stubborn(), clock.now()
    for age_s, name in enumerate(("after", "stuck")):
        asked_at = now - timedelta(seconds=age_s)
        order = Order(asked_at, people=frozenset({f"person {name}"}))
        await erasures.add(Erasure(name, frozenset({f"mark {name}"}), asked_at, order=order))

    async def part(name: str) -> Part:
        entry = await erasures.get(name)
        assert entry is not None
        return entry.parts.get("classifier", Part())

    async def done(name: str) -> bool:
        return (await part(name)).passes > 0

    eraser = Eraser("classifier", store, ledger, forgetting, clock.now)
    await ledger.start()
    await eraser.start()
    try:
        await until(lambda: done("after"), within_s=WITHIN_S, what="the younger one is done")
        await until(lambda: forgetting.tried.count("stuck") > 1, within_s=WITHIN_S, what="it is tried again")
        assert await part("stuck") == Part(), "what could not be done is not written down as done"
        assert eraser.problem() is None
        forgetting.mended = True
        await until(lambda: done("stuck"), within_s=WITHIN_S, what="the older one is done")
        assert (await part("stuck")).counts == {"feedback": 1}
    finally:
        await eraser.stop()
        await ledger.stop()
