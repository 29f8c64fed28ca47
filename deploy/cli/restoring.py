"""What `restore` and `fence` have in common: nobody is at work, then readers go back and a fence is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from deploy.cli.archive import Manifest
from deploy.cli.ask import url_of
from deploy.cli.checks.services import NAMES
from deploy.cli.output import Failed, remarks
from deploy.cli.settings import CliSettings
from shared import clock
from shared.bus.condition import cluster
from shared.bus.rewind import Position, Rewound, StillReadingError, positions_at, rewind
from shared.domain.fence import Fence
from shared.store.connection import Store
from shared.store.deliveries import DeliveryStore
from shared.store.fence import FenceStore
from shared.store.migrations import Migrator

_WITHIN_S = 2.0
_EVERYTHING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ready:
    """What was done so that the services can be started."""

    fence: Fence
    held: int
    rewound: Sequence[Rewound]


async def nobody_works(where: CliSettings) -> None:
    """Raises Failed where a service still answers: it would write into what is being restored."""
    working = []
    async with httpx.AsyncClient(timeout=_WITHIN_S) as client:
        for name in NAMES:
            url = url_of(where, name)
            if url is None:
                continue
            try:
                answer = await client.get(f"{str(url).rstrip('/')}/healthz")
                if answer.json().get("service") == name:
                    working.append(name)
            except (httpx.TransportError, ValueError, AttributeError):
                continue
    if working:
        raise Failed(f"still at work: {', '.join(working)}", "stop every service first; nothing was changed")


async def rewound(where: CliSettings, manifest: Manifest) -> Sequence[Rewound]:
    """What came since the backup is read again. Raises DependencyDown, and Failed where somebody reads."""
    same = bool(manifest.offsets) and manifest.cluster == (await cluster(where.kafka)).name
    to = [Position(one.topic, one.group, one.offsets) for one in manifest.offsets]
    return await back(where, to if same else await positions_at(where.kafka, _EVERYTHING))


async def back(where: CliSettings, to: Sequence[Position]) -> Sequence[Rewound]:
    """Raises DependencyDown, and Failed where somebody reads."""
    try:
        return await rewind(where.kafka, to)
    except StillReadingError as error:
        raise Failed(str(error), "stop every service first; nothing was changed") from None


async def finish(store: Store, fence: Fence) -> int:
    """All is loaded: what may have been told is held, and services may start. How many notices."""
    held = await DeliveryStore(store).held.hold(fence.at, clock.now())
    await FenceStore(store).put(replace(fence, is_whole=True))
    await Migrator(store).start()
    return held


def as_json(ready: Ready) -> dict[str, object]:
    return {
        "fence": ready.fence.at,
        "dumped_at": ready.fence.dumped_at,
        "held": ready.held,
        "read_again": [
            {"topic": one.topic, "group": one.group, "records": one.again, "lost": one.lost}
            for one in ready.rewound
        ],
    }


def show(ready: Ready) -> None:
    """What was done, and what comes next."""
    console = remarks()
    for one in ready.rewound:
        console.print(f"{one.topic}: {one.again:,} records are read again by the {one.group}", markup=False)
        if one.lost:
            console.print(f"  {one.lost:,} of since the backup are no longer in Kafka", markup=False)
    console.print(f"{ready.held:,} notices are held; those of what is read again will be as well.")
    console.print("Start the services now. Ingest forgets by itself who was erased since.")
    console.print(
        "Then `listeningpost held` shows what may have been told before; send it or drop it.", markup=False
    )
