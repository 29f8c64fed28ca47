"""Apache Kafka's own jars, fetched once with Maven into a cache outside the tree.

`python -m tests.support.kafka_jars` fetches them ahead of the tests and prints where they are. Maven uses
whatever repositories and mirrors this machine is configured for.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

KAFKA_VERSION = "4.1.1"
# What Kafka logs goes to slf4j; without a binding an error at start would be silent. 1.7 is what Kafka uses.
_SLF4J_VERSION = "1.7.36"
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FETCH_WITHIN_S = 600.0
_POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>listeningpost</groupId><artifactId>kafka-jars</artifactId><version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{kafka}</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>{slf4j}</version>
    </dependency>
  </dependencies>
</project>
"""


class KafkaUnavailable(Exception):
    """The real broker cannot run here; the text says what is missing."""


def why_unavailable(version: str = KAFKA_VERSION) -> str | None:
    """What is missing, or None. Quick: nothing is fetched."""
    try:
        java()
        if not jar_directory(version).is_dir():
            _maven()
    except KafkaUnavailable as missing:
        return str(missing)
    return None


def java() -> str:
    """The program. Raises KafkaUnavailable."""
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None)
    if program is None:
        raise KafkaUnavailable(
            "Apache Kafka needs Java 17 or newer (apt-get install openjdk-17-jre-headless)"
        )
    return program


def _maven() -> str:
    program = shutil.which("mvn")
    if program is None:
        raise KafkaUnavailable("Maven is needed to fetch Apache Kafka (apt-get install maven)")
    return program


def jar_directory(version: str = KAFKA_VERSION) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "listeningpost"
    # Named by what is asked for as well: a folder of before lacks what is new.
    return cache / f"kafka-{version}-{zlib.crc32(_POM.encode()):08x}"


def fetch_jars(version: str = KAFKA_VERSION) -> Path:
    """The folder with all of them. Raises KafkaUnavailable."""
    directory = jar_directory(version)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{directory.name}.lock").open("w") as lock:
        # Test processes that run side by side fetch once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.is_dir():
            _fetch(version, directory)
    return directory


def server_version(jars: Path) -> str:
    """As the jar of the broker says."""
    (jar,) = jars.glob("kafka_2.13-*.jar")
    return jar.stem.removeprefix("kafka_2.13-")


def _fetch(version: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory.parent) as work:
        pom, jars = Path(work, "pom.xml"), Path(work, "jars")
        pom.write_text(_POM.format(kafka=version, slf4j=_SLF4J_VERSION), encoding="utf-8")
        maven = subprocess.run(
            [
                _maven(),
                "-B",
                "-q",
                "-f",
                str(pom),
                _PLUGIN,
                "-DincludeScope=runtime",
                f"-DoutputDirectory={jars}",
            ],
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=_FETCH_WITHIN_S,
        )
        if maven.returncode != 0:
            raise KafkaUnavailable(f"Maven could not fetch Apache Kafka {version}:\n{maven.stdout.strip()}")
        # Renamed into place only when complete.
        jars.rename(directory)


if __name__ == "__main__":
    sys.stdout.write(f"{fetch_jars()}\n")
