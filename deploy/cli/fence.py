"""`listeningpost fence`: after a restore by other means, so that it, too, sends nothing a second time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import typer

from deploy.cli import connect, restoring
from deploy.cli.moments import moment
from deploy.cli.output import ExitCode, Failed, Json, examples, print_json
from deploy.cli.settings import CliSettings, settings
from shared import clock
from shared.bus.rewind import positions_at
from shared.domain.fence import Fence

#: What was on its way when the dump was made is read again as well, and what is read twice does no harm.
_EARLIER = timedelta(minutes=15)


def register(app: typer.Typer) -> None:
    app.command("fence", epilog=examples("listeningpost fence --dumped-at 2026-05-04T02:00"))(set_up)


def set_up(
    *,
    dumped_at: Annotated[str, typer.Option("--dumped-at", help="When the dump began: 8h, 2d, or a time.")],
    as_json: Json = False,
) -> None:
    """After a restore by other means, do the rest: nothing is sent a second time.

    Those are `mongorestore`, or a volume's snapshot. Stop every service first. What came since is read from
    Kafka again; what may have been told is held.
    """
    now = clock.now()
    then = moment(dumped_at, now)
    if then is None or then > now:
        raise Failed(f"{dumped_at!r} is not in the past", code=ExitCode.USAGE)
    ready = asyncio.run(_set_up(settings(), then))
    if as_json:
        print_json(restoring.as_json(ready))
    else:
        restoring.show(ready)


async def _set_up(where: CliSettings, then: datetime) -> restoring.Ready:
    await restoring.nobody_works(where)
    rewound = await restoring.back(where, await positions_at(where.kafka, then - _EARLIER))
    fence = Fence(clock.now(), then)
    async with connect.store(where) as store:
        held = await restoring.finish(store, fence)
    return restoring.Ready(fence, held, rewound)
