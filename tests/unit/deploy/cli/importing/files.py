"""Files as people have them, written for one test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deploy.cli.importing.chunks import Chunk, Chunks
from deploy.cli.importing.forms import Wishes
from deploy.cli.importing.opened import Opened
from deploy.cli.importing.plan import Plan, plan_for, plan_for_mail
from deploy.cli.importing.readers import Reading, reader_for


@contextmanager
def planned(path: Path, reading: Reading | None = None, **wishes: Any) -> Iterator[Plan]:  # noqa: ANN401 - of Wishes
    opened = Opened(path)
    try:
        read = reader_for(opened, reading or Reading())
        planner = plan_for_mail if read.format == "mbox" else plan_for
        yield planner(read, opened, Wishes(**wishes))
    finally:
        opened.close()


def written(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def chunks_of(path: Path, reading: Reading | None = None, **wishes: Any) -> list[Chunk]:  # noqa: ANN401 - of Wishes
    with planned(path, reading, **wishes) as plan:
        return list(Chunks(plan))
