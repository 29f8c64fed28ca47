"""Each image can start: what its program imports is in the lock it installs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.tree import ROOT

_PROGRAMS = {
    "ingest": ("services.ingest.__main__",),
    "classifier": ("services.classifier.__main__",),
    "notifier": ("services.notifier.__main__",),
    "console": ("services.console.__main__",),
    "tools": ("deploy.cli.main", "deploy.docker.prepare"),
}
#: Imports as the image would, where nothing but its lock is installed: a package of another is not found.
_IMPORT = """
import importlib, importlib.metadata, re, sys

locked, modules = set(sys.argv[1].split()), sys.argv[2].split()
of = importlib.metadata.packages_distributions()
mine = {"listeningpost"}

class Missing:
    def find_spec(self, name, path=None, target=None):
        carriers = {re.sub(r"[-_.]+", "-", one).lower() for one in of.get(name, ())}
        if carriers and not carriers & (locked | mine):
            raise ModuleNotFoundError(f"No module named {name!r}: {sorted(carriers)} is not in the lock")

sys.meta_path.insert(0, Missing())
for module in modules:
    importlib.import_module(module)
if "deploy.cli.main" in modules:
    for name, (module, _) in importlib.import_module("deploy.cli.main").COMMANDS.items():
        # Those two start servers on the machine they are typed on.
        if name not in {"demo", "up"}:
            importlib.import_module(module)
"""


@pytest.mark.parametrize("image", sorted(_PROGRAMS))
def test_what_a_program_imports_is_in_the_lock_of_its_image(image: str) -> None:
    lock = Path(ROOT, "requirements", f"{image}.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([\w.-]+)(?:\[\S*\])?==", lock, re.MULTILINE)
    locked = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    command = [sys.executable, "-c", _IMPORT, " ".join(locked), " ".join(_PROGRAMS[image])]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
