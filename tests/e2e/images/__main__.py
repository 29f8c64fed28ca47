"""`python -m tests.e2e.images`: what the compose file is built on is here: pulled, or a stand-in for it.

What is here or can be pulled is left as it is. A stand-in has the name of what it stands for, and a label; it
gives way as soon as that can be pulled. `--remove` takes the names away, and keeps what makes the next build
quick.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.embedded import mongod
from deploy.embedded.binaries import find
from tests.support.kafka_jars import fetch_jars

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_DEBIAN = "listeningpost-stand-in:debian"
_LABEL = "listeningpost.stand-in"
_PULL_WITHIN_S = 600.0


class CannotStandIn(Exception):
    """The text says what is missing."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.images", description=__doc__)
    parser.add_argument("--profile", action="append", default=[], help="of the compose file; may be repeated")
    parser.add_argument("--remove", action="store_true", help="the stand-ins' names are free again")
    options = parser.parse_args()
    try:
        for name in upstream(options.profile):
            outcome = free(name) if options.remove else provide(name)
            sys.stdout.write(f"{name}: {outcome}\n")
            sys.stdout.flush()
    except CannotStandIn as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


def upstream(profiles: Sequence[str] = ()) -> list[str]:
    """The images of the compose file that it does not build, and what ours are built on."""
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    services = json.loads(_docker("compose", *chosen, "config", "--format", "json"))["services"].values()
    built = [service for service in services if "build" in service]
    bases = {service["build"]["args"]["PYTHON_IMAGE"] for service in built}
    ours = {service["image"] for service in built}
    return sorted(bases | {service["image"] for service in services} - ours)


def provide(name: str) -> str:
    """The image is here. Says where it came from; raises CannotStandIn."""
    label = _label(name)
    if label == "":
        return "is here"
    if _pulled(name):
        return "pulled"
    build(name)
    return "a stand-in"


def free(name: str) -> str:
    if not _label(name):
        return "no stand-in"
    _docker("image", "rm", name)
    return "removed"


def build(name: str) -> None:
    """A stand-in has this name. Raises CannotStandIn."""
    repository, _, tag = name.partition(":")
    if repository not in _CONTEXTS:
        raise CannotStandIn(f"{name} cannot be pulled, and nothing stands in for it.")
    target, fill = _CONTEXTS[repository]
    _debian()
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "context")
        shutil.copytree(_HERE, context)
        fill(context, tag)
        named = ("--target", target, "--tag", name, "--label", f"{_LABEL}={target}")
        _docker("build", "--quiet", *named, "--build-arg", f"DEBIAN={_DEBIAN}", folder + "/context")


def _python(context: Path, _tag: str) -> None:
    """pip as it is set up here, but for what lies on this machine alone."""
    listed = _run(sys.executable, "-m", "pip", "config", "list").splitlines()
    settings = {}
    for line in listed:
        name, _, value = line.partition("=")
        settings[name.rpartition(".")[2]] = value.strip("'\"")
    settings.pop("find-links", None)
    lines = [f"{name} = {value}" for name, value in settings.items()]
    (context / "pip.conf").write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


def _mongo(context: Path, _tag: str) -> None:
    shutil.copy(find(mongod.PROGRAM), context / "mongod")


def _kafka(context: Path, tag: str) -> None:
    shutil.copytree(fetch_jars(tag), context / "jars")


#: By the name before the tag: the target in the Dockerfile, and what puts there what it copies.
_CONTEXTS: Mapping[str, tuple[str, Callable[[Path, str], None]]] = {
    "python": ("python", _python),
    "mongo": ("mongo", _mongo),
    "apache/kafka": ("kafka", _kafka),
}


def _debian() -> None:
    if _label(_DEBIAN) is not None:
        return
    for program in ("debootstrap", "apt-get"):
        if shutil.which(program) is None:
            raise CannotStandIn(f"A stand-in is made of Debian's packages with {program}, which is not here.")
    if os.geteuid() != 0:
        raise CannotStandIn("Only root can unpack Debian for a stand-in.")
    sys.stdout.write("Debian is fetched and unpacked: a minute or two\n")
    sys.stdout.flush()
    _run(str(_HERE / "debian"), _DEBIAN)


def _label(name: str) -> str | None:
    """For what it stands, "" when it is no stand-in, None when there is no such image."""
    command = ["docker", "image", "inspect", "--format", "{{json .Config.Labels}}", name]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if answer.returncode != 0:
        return None
    labels: Mapping[str, str] = json.loads(answer.stdout) or {}
    return labels.get(_LABEL, "")


def _pulled(name: str) -> bool:
    command = ["docker", "pull", "--quiet", name]
    return subprocess.run(command, capture_output=True, check=False, timeout=_PULL_WITHIN_S).returncode == 0


def _docker(*arguments: str) -> str:
    return _run("docker", *arguments)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=_ROOT)
    if done.returncode != 0:
        raise CannotStandIn(f"{' '.join(command[:3])} failed:\n{done.stderr.strip()[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    raise SystemExit(main())
