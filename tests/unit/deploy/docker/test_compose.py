"""What `docker-compose.yml` and the Dockerfile promise: hardened, bounded, pinned, only the doors open."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.docker import keys
from deploy.docker.prepare import REPLICA_SET
from shared.service import STOP_WITHIN_S
from shared.store import users
from tests.support.kafka_jars import KAFKA_VERSION

_ROOT = Path(__file__).parents[4]
_COMPOSE: dict[str, Any] = yaml.safe_load((_ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
_DOCKERFILE = (_ROOT / "deploy" / "docker" / "Dockerfile").read_text(encoding="utf-8")
_CONTAINERS: dict[str, dict[str, Any]] = _COMPOSE["services"]
_OURS = {name: container for name, container in _CONTAINERS.items() if "build" in container}
_SERVICES = ("ingest", "classifier", "notifier", "console")
_OBSERVING = ("prometheus", "grafana")
_LONG_RUNNING = (*_SERVICES, "kafka", "mongo", *_OBSERVING)

each_container = pytest.mark.parametrize("name", sorted(_CONTAINERS))


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


@each_container
def test_a_container_is_hardened_and_bounded(name: str) -> None:
    container = _CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert container["pids_limit"]
    assert container["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert not set(container) & {"privileged", "pid", "cap_add", "devices"}


@pytest.mark.parametrize("name", _LONG_RUNNING)
def test_what_runs_for_long_comes_back_and_is_given_time_to_end(name: str) -> None:
    container = _CONTAINERS[name]
    assert container["restart"] == "unless-stopped"
    assert seconds(container["stop_grace_period"]) > STOP_WITHIN_S


def test_only_the_doors_are_published_and_on_loopback_unless_asked() -> None:
    published = {name: container["ports"] for name, container in _CONTAINERS.items() if "ports" in container}
    inside = {name: [port.rpartition(":")[2] for port in ports] for name, ports in published.items()}
    watching = {"prometheus": ["9090"], "grafana": ["3000"]}
    assert inside == {"ingest": ["8080", "2525"], "console": ["8080"], **watching}
    ports = [port for each in published.values() for port in each]
    assert all(port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:") for port in ports)
    assert len({port.split(":")[2] for port in ports}) == len(ports), "each has its own on the machine"


def test_who_has_no_business_outside_has_no_way_out() -> None:
    assert _COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, container in _CONTAINERS.items() if "outside" in container.get("networks", ())}
    assert outside == {"ingest", "notifier", "console", "tools", *_OBSERVING}
    inside = {name for name, container in _CONTAINERS.items() if "inside" in container.get("networks", ())}
    assert inside == set(_CONTAINERS) - {"keys", "init"}
    assert _CONTAINERS["keys"]["network_mode"] == "none"
    # The first user of MongoDB is made on its own machine.
    assert _CONTAINERS["init"]["network_mode"] == "service:mongo"


def test_the_servers_images_are_pinned_and_kafka_is_the_tested_one() -> None:
    assert _CONTAINERS["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"
    assert re.fullmatch(r"mongo:\d+\.\d+\.\d+", _CONTAINERS["mongo"]["image"])


def test_the_image_ours_are_built_from_is_pinned_and_the_same_everywhere() -> None:
    pinned = re.search(r"^ARG PYTHON_IMAGE=(.+)$", _DOCKERFILE, re.MULTILINE)
    assert pinned is not None
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", pinned[1])
    for container in _OURS.values():
        assert container["build"]["args"]["PYTHON_IMAGE"] == f"${{PYTHON_IMAGE:-{pinned[1]}}}"


def test_data_are_on_volumes() -> None:
    mounted = {name: container.get("volumes", []) for name, container in _CONTAINERS.items()}
    assert mounted["kafka"] == [f"kafka:{_CONTAINERS['kafka']['environment']['KAFKA_LOG_DIRS']}"]
    assert mounted["mongo"] == ["mongo:/data/db", "mongodb:/run/listeningpost/mongodb:ro"]
    spool = _CONTAINERS["ingest"]["environment"]["LISTENINGPOST_INGEST__SPOOL__DIRECTORY"]
    assert f"spool:{spool}" in mounted["ingest"]
    assert set(_COMPOSE["volumes"]) == {"kafka", "mongo", "mongodb", "secrets", "spool", "token", *_OBSERVING}


def test_the_classifier_has_room_to_unpack_its_language_model() -> None:
    """68 MB; what its library unpacks, it writes into a temporary file first."""
    (tmpfs,) = _CONTAINERS["classifier"]["tmpfs"]
    assert tmpfs.startswith("/tmp:size=256m,")  # noqa: S108 - a folder in the container


def test_the_replica_set_has_one_name() -> None:
    assert f"--replSet {REPLICA_SET} " in _CONTAINERS["mongo"]["command"][-1]
    assert f"replicaSet={REPLICA_SET}" in _CONTAINERS["ingest"]["environment"]["LISTENINGPOST_MONGO__URI"]
    assert _CONTAINERS["init"]["command"][0] == "--initiate=mongo:27017"


def test_mongodb_asks_for_a_name_and_ours_is_in_the_address() -> None:
    assert f"/{keys.KEY_FILE} " in _CONTAINERS["mongo"]["command"][-1]
    assert "--keyFile" in _CONTAINERS["mongo"]["command"][-1]
    assert f"//{users.SERVICES}@mongo:" in _CONTAINERS["ingest"]["environment"]["LISTENINGPOST_MONGO__URI"]
    assert _CONTAINERS["mongo"]["user"].endswith(":10001"), "of our group, it may read its key"


@pytest.mark.parametrize("name", _SERVICES)
def test_a_service_starts_after_the_servers_are_ready(name: str) -> None:
    assert _CONTAINERS[name]["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert set(_CONTAINERS["init"]["depends_on"]) == {"kafka", "mongo"}
    assert set(_CONTAINERS["mongo"]["depends_on"]) == {"keys"}
    assert _CONTAINERS["init"]["restart"] == _CONTAINERS["keys"]["restart"] == "no"


def test_the_command_line_runs_when_it_is_asked_for_only() -> None:
    assert _CONTAINERS["tools"]["profiles"] == ["tools"]


@pytest.mark.parametrize("name", _OBSERVING)
def test_who_watches_runs_when_it_is_asked_for_and_changes_nothing_of_ours(name: str) -> None:
    container = _CONTAINERS[name]
    assert container["profiles"] == ["observability"]
    assert re.fullmatch(rf"[a-z]+/{name}:v?\d+\.\d+\.\d+", container["image"])
    assert not container["user"].startswith("0")
    ours = [volume for volume in container["volumes"] if volume.startswith("./")]
    assert ours
    for volume in ours:
        path, _, mode = volume.split(":")
        assert (_ROOT / path).is_dir()
        assert mode == "ro"


def test_every_service_is_scraped_by_its_name() -> None:
    scraped = yaml.safe_load((_ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    names = {job["job_name"]: job["dns_sd_configs"][0]["names"] for job in scraped["scrape_configs"]}
    assert names == {name: [name] for name in _SERVICES}


def folder_of(option: str) -> str:
    """Where `keys` puts what is meant for some."""
    (found,) = [word for word in _CONTAINERS["keys"]["command"] if word.startswith(f"--{option}=")]
    return str(found.partition("=")[2])


@pytest.mark.parametrize(
    ("name", "option", "volume"),
    [
        ("ingest", "secrets", "secrets"),
        ("notifier", "secrets", "secrets"),
        ("init", "secrets", "secrets"),
        ("classifier", "shared", "token"),
        ("console", "shared", "token"),
        ("tools", "shared", "token"),
    ],
)
def test_everybody_finds_their_keys_and_no_others(name: str, option: str, volume: str) -> None:
    folder, mounted = folder_of(option), _CONTAINERS[name]["volumes"]
    assert f"{volume}:{folder}" in _CONTAINERS["keys"]["volumes"]
    assert folder in stage("base"), "the image has the folder, or the volume would be root's"
    assert _CONTAINERS[name]["environment"]["LISTENINGPOST_SECRETS_DIR"] == folder
    assert f"{volume}:{folder}:ro" in mounted
    of_keys = {entry for entry in mounted if entry.startswith(("secrets:", "token:", "mongodb:"))}
    assert of_keys == {f"{volume}:{folder}:ro"} | (
        {f"mongodb:{folder_of('mongodb')}:ro"} if name == "init" else set()
    )


# ---- The Dockerfile ----


def stage(target: str) -> str:
    """The text of a stage, from its FROM to the next."""
    (found,) = re.findall(rf"^FROM \S+ AS {target}\n.*?(?=^FROM|\Z)", _DOCKERFILE, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("name", sorted(_OURS))
def test_every_image_of_ours_has_its_stage(name: str) -> None:
    text = stage(_OURS[name]["build"]["target"])
    assert "USER 10001:10001" in text
    assert "ENTRYPOINT" in text
    assert _OURS[name]["image"].startswith("${IMAGE_PREFIX:-listeningpost-}" + _OURS[name]["build"]["target"])


def test_no_image_is_built_for_two_services() -> None:
    """Compose would build it for each, as another image of the same name, and restart one for the other's."""
    built = [container["image"] for container in _OURS.values()]
    assert len(set(built)) == len(built)
    ours = [container for container in _CONTAINERS.values() if "${IMAGE_TAG" in container["image"]]
    assert {container["image"] for container in ours} == set(built)
    others = [container for container in ours if "build" not in container]
    assert [container["pull_policy"] for container in others] == ["never", "never"]


@pytest.mark.parametrize("name", _SERVICES)
def test_a_service_installs_its_own_lock(name: str) -> None:
    assert f'ENTRYPOINT ["python", "-m", "services.{name}"]' in stage(name)
    assert f"requirements/{name}.txt" in stage(f"{name}-requirements")
    assert (_ROOT / "requirements" / f"{name}.txt").is_file()
    assert "FROM service AS" in stage(name)


def test_nothing_is_installed_without_its_hash_or_compiled() -> None:
    settings = stage("requirements")
    assert {"PIP_REQUIRE_HASHES=1", "PIP_ONLY_BINARY=:all:"} <= set(re.findall(r"PIP_\S+", settings))
    assert "--require-hashes" in stage("wheel")
    assert "apt-get" not in _DOCKERFILE


def test_a_service_is_asked_for_its_health_and_stopped_by_sigterm() -> None:
    assert 'CMD ["python", "-m", "deploy.docker.health"]' in stage("service")
    assert "STOPSIGNAL SIGTERM" in stage("base")


def test_docker_compose_agrees_on_a_fresh_clone(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or _fails(docker, "compose", "version"):
        pytest.skip("there is no docker compose here")
    files = ["--file", str(_ROOT / "docker-compose.yml"), "--project-directory", str(tmp_path)]
    command = [docker, "compose", *files, "--profile", "*", "config", "--quiet"]
    ended = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert ended.returncode == 0, ended.stderr


def _fails(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0
