"""A whole installation under test: three services on servers of its own, and a sink for its notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeAlias, TypeVar

from deploy.embedded.ports import lease_port
from tests.chaos import audit
from tests.chaos.traffic import Traffic
from tests.load import company
from tests.load.house import House, Premises, Running
from tests.load.sink import Sink
from tests.support.wait import until

#: Deliveries in flight; so many may be in doubt after the notifier was killed.
SLOTS = 8
#: Short, so that a killed replica is soon known to be gone.
ENV = company.ENV | {
    "LISTENINGPOST_KAFKA__SESSION_TIMEOUT_MS": "2000",
    "LISTENINGPOST_NOTIFIER__SLOTS": str(SLOTS),
    "LISTENINGPOST_NOTIFIER__LEASE_S": "3",
    "LISTENINGPOST_INGEST__PROBE_EVERY_S": "1",
}
SERVICES = ("ingest", "classifier", "notifier")


AnyPremises = TypeVar("AnyPremises", bound=Premises)


@dataclass(slots=True)
class AnyPost(Generic[AnyPremises]):
    """`services` by name. `traffic()` makes a sender of its own, with pieces of its own."""

    house: AnyPremises
    services: dict[str, Running]
    sink: Sink
    token: str
    _seeds: count[int] = field(default_factory=lambda: count(1))

    def traffic(self) -> Traffic:
        return Traffic(self.services["ingest"].port, self.token, next(self._seeds))

    async def start(self, *names: str) -> None:
        for name in names:
            self.services[name].start()
        await asyncio.gather(*(self.services[name].ready() for name in names))

    async def spool_drained(self) -> None:
        """Returns when nothing is left in the spool; raises when something was damaged."""
        spool = self.house.directory / "spool"
        damaged = list(spool.glob("damaged/*"))
        assert not damaged, f"damaged records: {damaged}"
        await until(
            lambda: not list(spool.rglob("*.segment")),
            within_s=audit.SETTLED_WITHIN_S,
            what="the spool is empty",
        )

    async def mend(self) -> None:
        """Whatever an earlier test left broken runs and is ready."""
        await self.house.start_servers()
        await self.start(*(name for name, service in self.services.items() if not service.running))
        await self.ready()

    async def ready(self) -> None:
        await asyncio.gather(*(service.ready() for service in self.services.values()))

    async def promises_kept(self, traffic: Traffic, *, in_flight: int = 0) -> audit.Findings:
        """Waits until everything of `traffic` has ended, then looks at every promise."""
        await audit.settled(self.house, traffic)
        return await audit.promises(self.house, traffic, self.sink, in_flight=in_flight)


#: On one broker and one MongoDB.
Post: TypeAlias = AnyPost[House]


@asynccontextmanager
async def running_post(*, apache: bool) -> AsyncIterator[Post]:
    async with running_on(House(apache=apache, env=ENV)) as post:
        yield post


@asynccontextmanager
async def running_on(premises: AnyPremises) -> AsyncIterator[AnyPost[AnyPremises]]:
    lease = lease_port()
    sink = Sink(lease.port)
    await sink.start()
    try:
        async with premises as house:
            token = await house.furnish(company.with_sink(sink.url))
            services = {name: house.service(name) for name in SERVICES}
            post = AnyPost(house, services, sink, token)
            await post.start(*SERVICES)
            yield post
    finally:
        await sink.stop()
        lease.release()
