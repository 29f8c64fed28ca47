"""What follows from packages and from our own words alone is worked out once, and then read from the disk.

As bytecode is: made at the first start (in an image when it is built, by `services/classifier/prepare.py`),
found by what it was made of, and done without where nothing can be written.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Arrays: TypeAlias = Mapping[str, NDArray[Any]]

FOLDER = Path(__file__).with_name("__prepared__")
_DIGEST_CHARS = 16


def prepared(name: str, made_of: Sequence[str], make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` gives, of any shape and type but objects; mapped, read-only, once they are kept.

    `made_of` is all they depend on: another version of it is another entry, and the one before goes.
    """
    kept = FOLDER / f"{name}-{_digest(made_of)}"
    try:
        found = {file.stem: _mapped(file) for file in kept.glob("*.npy")}
    except (OSError, EOFError, ValueError):
        # Cut short, or not ours.
        shutil.rmtree(kept, ignore_errors=True)
        found = {}
    if found:
        return found
    made = make()
    # A container's file system is read-only: then it is made again at each start.
    with contextlib.suppress(OSError):
        _keep(kept, name, made)
    return made


def _mapped(file: Path) -> NDArray[Any]:
    # A plain array on the same memory: numpy is slower with its own `memmap`.
    return np.asarray(np.load(file, mmap_mode="r", allow_pickle=False))


def _keep(kept: Path, name: str, arrays: Arrays) -> None:
    """All of them or none: another service may look at this moment."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        whole = Path(scratch, "whole")
        whole.mkdir()
        for array, values in arrays.items():
            np.save(whole / f"{array}.npy", values, allow_pickle=False)
        whole.rename(kept)
    for other in FOLDER.glob(f"{name}-*"):
        if other != kept:
            shutil.rmtree(other, ignore_errors=True)


def _digest(made_of: Sequence[str]) -> str:
    return sha256("\0".join(made_of).encode()).hexdigest()[:_DIGEST_CHARS]
