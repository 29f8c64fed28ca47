"""The folders that other releases are run from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shared.store.schema import SCHEMA
from tests.chaos.releases import next_release


def test_the_next_release_is_this_one_with_its_additions(tmp_path: Path) -> None:
    next_release(tmp_path)
    says = (
        "from shared.store import migrations, schema; print(schema.SCHEMA, len(migrations.MIGRATION_STEPS))"
    )
    found = subprocess.run(
        [sys.executable, "-c", says], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == [str(SCHEMA + 1), "1"]
