"""Images of the servers: those that the compose file names, where Docker has them or can pull them."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import yaml

COMPOSE_FILE = Path(__file__).parents[2] / "docker-compose.yml"
_ANSWERS_WITHIN_S = 10.0
#: Where no registry can be reached, most often nothing answers at all.
_KNOWN_WITHIN_S = 5.0
_PULLED_WITHIN_S = 300.0
_KAFKA_JAR = re.compile(r"^kafka_2\.13-(.+)\.jar$", re.MULTILINE)
_MONGOD = re.compile(r"^db version v(.+)$", re.MULTILINE)
#: What the program inside says of itself, since a tag may say anything.
_VERSIONS = {"kafka": (("ls", "/opt/kafka/libs"), _KAFKA_JAR), "mongo": (("mongod", "--version"), _MONGOD)}


@cache
def found(service: str) -> tuple[str, str]:
    """(the image of a `service` of the compose file, "") once it is here, or ("", why it is not)."""
    image = pinned(service)
    if _program() is None:
        return "", "Docker is not installed"
    if docker("version", within_s=_ANSWERS_WITHIN_S) is None:
        return "", "Docker does not answer"
    if is_local(image):
        return image, ""
    if docker("manifest", "inspect", image, within_s=_KNOWN_WITHIN_S) is None:
        return "", f"Docker has no image {image} and reaches no registry that has"
    if docker("pull", "--quiet", image, within_s=_PULLED_WITHIN_S) is None:
        return "", f"Docker could not pull {image}"
    return image, ""


def pinned(service: str) -> str:
    image: str = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))["services"][service]["image"]
    return image


def is_local(image: str) -> bool:
    return docker("image", "inspect", image, within_s=_ANSWERS_WITHIN_S) is not None


def version(service: str, image: str) -> str:
    """As the program inside says."""
    (program, *arguments), pattern = _VERSIONS[service]
    told = docker(
        *("run", "--rm", "--network=none", f"--entrypoint={program}", image, *arguments),
        within_s=_ANSWERS_WITHIN_S,
    )
    match = pattern.search(told or "")
    return match[1] if match else "of a version that it does not tell"


def docker(*arguments: str, within_s: float, errors: bool = False) -> str | None:
    """What the command prints, `errors` as well if wanted; None when it fails or does not end in time."""
    # The command, not the SDK: that one leaves its sockets open, and here a warning is an error.
    program = _program()
    if program is None:
        return None
    try:
        ended = subprocess.run(
            [program, *arguments],
            capture_output=True,
            encoding="utf-8",
            check=True,
            timeout=within_s,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return ended.stdout + (ended.stderr if errors else "")


def _program() -> str | None:
    return shutil.which("docker")
