"""Writes down what the number of the schema stands for: `python -m tests.contract.schemas`."""

from __future__ import annotations

from tests.contract.schemas.record import as_declared, path_of, write

if __name__ == "__main__":
    write(as_declared())
    print(path_of(as_declared()["schema"]))  # noqa: T201 - for whoever runs it
