"""The tree as text and syntax, for tests of how it is built."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "services", "deploy")


def modules(*folders: str) -> list[Path]:
    """The Python files below `folders`, relative to the root; without folders, those of all packages."""
    found = [path for folder in folders or PACKAGES for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found)


def dotted(path: Path) -> str:
    """shared/bus/__init__.py → shared.bus."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def syntax(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), filename=str(path))


def names_from(path: Path, module: str) -> set[str]:
    """What `path` imports by name from `module`."""
    return {
        alias.name
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


def imports(path: Path) -> Iterator[str]:
    """Every module `path` imports, wherever in it."""
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def tracked_files() -> list[Path] | None:
    """Every file git knows, relative to the root; None where there is no git or no repository."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return None
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    paths = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]
