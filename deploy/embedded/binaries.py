"""Finding a server's program: the user's own, else the one an installed package carries, else PATH."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.prerequisites import INSTEAD, require_supported_platform

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Program:
    """`setting` is the variable with the user's own path; `wheel_path` is where `distribution` has it."""

    name: str
    setting: str
    distribution: str
    wheel_path: str


def find(program: Program, environ: Mapping[str, str] = os.environ) -> Path:
    """A file that can be executed. Raises EmbeddedError with what to install or to set."""
    own = environ.get(program.setting)
    if own:
        return _own(program, own)
    carried = _carried(program)
    if carried is not None:
        return carried
    on_path = shutil.which(program.name)
    if on_path:
        return Path(on_path)
    require_supported_platform()
    raise EmbeddedError(
        f"{program.name} is not here: install it with `pip install 'listeningpost[embedded]'`,"
        f" name your own in {program.setting}, or {INSTEAD}."
    )


def _own(program: Program, own: str) -> Path:
    found = shutil.which(own)
    if found is None:
        raise EmbeddedError(f"{program.setting} does not name a file that can be executed.")
    return Path(found)


def _carried(program: Program) -> Path | None:
    """Found through the package's metadata: importing it would run its code."""
    try:
        distribution = metadata.distribution(program.distribution)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(program.wheel_path)))
    return _executable(path, distribution.version) if path.is_file() else None


def _executable(path: Path, version: str) -> Path:
    """Wheels do not always keep the run bit, and the place they are unpacked to may be read-only."""
    if os.access(path, os.X_OK):
        return path
    try:
        path.chmod(path.stat().st_mode | 0o111)
    except OSError:
        return _copied(path, version)
    return path


def _copied(path: Path, version: str) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "listeningpost" / "bin"
    target = cache / f"{path.name}-{version}"
    if os.access(target, os.X_OK):
        return target
    cache.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that a second process never runs half a file.
    partial = cache / f".{target.name}.{os.getpid()}"
    shutil.copyfile(path, partial)
    partial.chmod(0o755)
    return partial.replace(target)
