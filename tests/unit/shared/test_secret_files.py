"""Secrets as files: several values, followed as they change, without a look at the disk for each request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from shared.domain.contributor import Contributor
from shared.errors import ConfigurationError, PermanentError
from shared.secret_files import LOOK_EVERY_S, MOST_VALUES, SecretFiles
from shared.settings import CommonSettings, load
from shared.store.contributors import ContributorSeal


@dataclass
class Clock:
    at_s: float = 0.0

    def __call__(self) -> float:
        return self.at_s


def shown(values: tuple[SecretStr, ...]) -> list[str]:
    return [value.get_secret_value() for value in values]


def test_a_file_is_followed_and_looked_at_once_a_second(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "crm"
    files = SecretFiles(tmp_path, clock)
    assert files.values("crm") == ()
    file.write_text("old\n")
    assert files.values("crm") == (), "not before a second is over"
    clock.at_s += LOOK_EVERY_S
    assert shown(files.values("crm")) == ["old"]
    file.write_text("  new \n\nold\n")
    assert shown(files.values("crm")) == ["old"]
    clock.at_s += LOOK_EVERY_S
    assert shown(files.values("crm")) == ["new", "old"]
    file.unlink()
    clock.at_s += LOOK_EVERY_S
    assert files.values("crm") == (), "what is gone is no secret any more"


def test_a_file_that_is_just_being_written_takes_no_secret_away(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "crm"
    files = SecretFiles(tmp_path, clock)
    file.write_text("old")
    assert shown(files.values("crm")) == ["old"]
    file.write_text("")
    clock.at_s += LOOK_EVERY_S
    assert shown(files.values("crm")) == ["old"]
    file.write_text("new")
    clock.at_s += LOOK_EVERY_S
    assert shown(files.values("crm")) == ["new"]


def test_a_name_leads_nowhere_else_and_values_have_a_bound(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "many").write_text("\n".join(f"value-{number}" for number in range(50)))
    files = SecretFiles(folder)
    assert files.values("../outside") == ()
    assert files.values("") == files.values(".") == ()
    assert len(files.values("many")) == MOST_VALUES
    assert SecretFiles(None).values("many") == ()


def test_a_variable_wins_and_stays_and_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "internal_token").write_text("of-the-file\nolder\n")
    folder = {"LISTENINGPOST_SECRETS_DIR": str(tmp_path)}
    by_file = load(CommonSettings, folder)
    assert by_file.internal_token == SecretStr("of-the-file"), "the first is the one to show"
    assert shown(by_file.internal_tokens()) == ["of-the-file", "older"]
    by_variable = load(CommonSettings, {**folder, "LISTENINGPOST_INTERNAL_TOKEN": "of-the-variable"})
    assert shown(by_variable.internal_tokens()) == ["of-the-variable"]
    assert CommonSettings().internal_tokens() == ()
    with pytest.raises(ConfigurationError, match="'crm' is not set"):
        by_file.values("secret:crm")


def test_keys_are_rotated_and_a_wrong_one_takes_nothing_away() -> None:
    first, second = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
    keys = [first]
    seal = ContributorSeal(lambda: tuple(keys))
    whoever = Contributor(person_id="p", kind="email", address="a@b.example")
    before = seal.seal(whoever)
    keys.insert(0, second)
    after = seal.seal(whoever)
    assert seal.open(before) == seal.open(after) == whoever
    assert ContributorSeal(lambda: (second,)).open(after) == whoever, "the first of them seals"
    keys.insert(0, SecretStr("no key at all"))
    assert seal.open(before) == whoever
    keys[:] = [second]
    assert seal.open(after) == whoever
    with pytest.raises(PermanentError, match="another contributors key"):
        seal.open(before)
    with pytest.raises(ConfigurationError, match="no Fernet key"):
        ContributorSeal(lambda: (SecretStr("no key at all"),))


def test_the_secret_of_a_section_is_followed_where_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "kafka__sasl_password").write_text("new\nold\n")
    (tmp_path / "mongo__password").write_text("of the file\n")
    settings = load(
        CommonSettings,
        {"LISTENINGPOST_SECRETS_DIR": str(tmp_path), "LISTENINGPOST_MONGO__PASSWORD": "of the variable"},
    )
    assert settings.kafka.sasl_password == SecretStr("new")
    assert shown(settings.kafka.by_now("sasl_password")) == ["new", "old"]
    assert shown(settings.mongo.by_now("password")) == ["of the variable"]
    settings.kafka._files.clock_s = Clock(float("inf"))  # type: ignore[union-attr]
    (tmp_path / "kafka__sasl_password").write_text("newer\n")
    (tmp_path / "mongo__password").write_text("another\n")
    assert shown(settings.kafka.by_now("sasl_password")) == ["newer"]
    assert shown(settings.mongo.by_now("password")) == ["of the variable"], "a variable wins over the file"
    assert shown(CommonSettings().mongo.by_now("uri")) == [settings.mongo.uri.get_secret_value()]


def test_what_a_file_of_a_section_held_last_holds_while_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "kafka__sasl_password"
    file.write_text("old\n")
    kafka = load(CommonSettings, {"LISTENINGPOST_SECRETS_DIR": str(tmp_path)}).kafka
    file.unlink()
    kafka._files.clock_s = Clock(float("inf"))  # type: ignore[union-attr]
    assert shown(kafka.by_now("sasl_password")) == ["old"]


def test_one_installation_s_secrets_are_not_another_s(tmp_path: Path) -> None:
    """Sections that are set nowhere are one object for all settings of a process."""
    (tmp_path / "mongo__password").write_text("mine\n")
    mine = load(CommonSettings, {"LISTENINGPOST_SECRETS_DIR": str(tmp_path)})
    assert shown(mine.mongo.by_now("password")) == ["mine"]
    assert CommonSettings().mongo.by_now("password") == ()
