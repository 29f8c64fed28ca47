"""Other releases of the product, as folders to run services from: the one before this one, and the next.

Both run with the packages of this one, so that a release before it has to be one whose packages are as new.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from shared.store.schema import SCHEMA
from tests.support.tree import PACKAGES, ROOT, modules, tracked_files

#: Where no release has a tag yet, as many commits back.
_COMMITS_BACK = 25

_MIGRATION = '''
async def _with_its_year(db: Database) -> None:
    """In portions, of what has none yet: as docs/operations.md wants it."""
    without = {"year": {"$exists": False}}
    while found := [piece["_id"] async for piece in db["feedback"].find(without, {"_id": 1}).limit(100)]:
        year = [{"$set": {"year": {"$year": "$received_at"}}}]
        await db["feedback"].update_many({"_id": {"$in": found}, **without}, year)


MIGRATION_STEPS: tuple[Migration, ...] = (Migration(1, "pieces know their year", _with_its_year),)
'''


@dataclass(frozen=True, slots=True)
class Change:
    """In `path` stands `before`, once; in the next release `after`."""

    path: str
    before: str
    after: str


#: What a release may add: a field and a word of an event, a field of a document, an index, a migration.
NEXT = (
    Change("shared/store/schema.py", f"SCHEMA = {SCHEMA}\n", f"SCHEMA = {SCHEMA + 1}\n"),
    Change(
        "shared/events/feedback.py",
        '    language: str = "und"\n',
        '    mood: str = "fair"\n    language: str = "und"\n',
    ),
    Change("shared/events/feedback.py", '    PROBLEM = "problem"\n', '    PROBLEM = "trouble"\n'),
    Change(
        "shared/store/delivery_documents.py",
        '"why": list(row.why),\n',
        '"why": list(row.why),\n        "mood": "fair",\n',
    ),
    Change(
        "shared/store/owners.py",
        '        Index("triage", ',
        '        Index("by_kind", (("tags.kind", 1),)),\n        Index("triage", ',
    ),
    Change("shared/store/migrations.py", "\nMIGRATION_STEPS: tuple[Migration, ...] = ()\n", _MIGRATION),
)


def next_release(folder: Path) -> None:
    """This release with `NEXT` in it, in `folder`."""
    for path in tracked_files() or modules():
        if path.parts[0] in PACKAGES:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / path).read_bytes())
    for change in NEXT:
        file = folder / change.path
        text = file.read_text(encoding="utf-8")
        assert text.count(change.before) == 1, f"{change.path}: {change.before!r}"
        file.write_text(text.replace(change.before, change.after), encoding="utf-8")


def release_before(folder: Path) -> str | None:
    """The release before this one, in `folder`, and what it is called; None where no history is at hand."""
    name = _git("describe", "--tags", "--abbrev=0", "HEAD~1").decode().strip() or f"HEAD~{_COMMITS_BACK}"
    commit = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()
    if not commit:
        return None
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, *PACKAGES))) as archive:
        archive.extractall(folder, filter="data")
    return f"{name} ({commit[:10]})"


def _git(*arguments: str) -> bytes:
    """What it says; nothing where it fails, or there is none."""
    git = shutil.which("git")
    if git is None:
        return b""
    return subprocess.run([git, *arguments], cwd=ROOT, check=False, capture_output=True).stdout
