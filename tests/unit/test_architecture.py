"""What holds of the tree as a whole and no import contract can say."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import Counter as CounterMetric
from prometheus_client import Gauge, Histogram

from services.classifier.erase import PiecesForgotten
from services.ingest.privacy.erase import IntakeForgotten
from services.notifier.erase import NoticesForgotten
from shared.settings import RetentionSettings
from shared.store import owners
from shared.store.owners import COLLECTIONS, CollectionSpec, Forgets
from shared.telemetry import metrics
from tests.support.tree import ROOT, dotted, imports, modules, names_from, syntax, tracked_files

MAX_LINES = 300
MAX_FUNCTION_LINES = 50


@pytest.mark.parametrize("path", modules(), ids=str)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES
    assert not lines or ast.get_docstring(syntax(path)), "a module begins with a docstring"
    for node in ast.walk(syntax(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert _lines(node) <= MAX_FUNCTION_LINES, node.name


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Of its body, what is said about it left out."""
    first, *others = function.body
    if ast.get_docstring(function) is not None and others:
        first = others[0]
    return (function.end_lineno or 0) - first.lineno + 1


# ---- Collections ----

_SPECS = {name: spec for name, spec in vars(owners).items() if isinstance(spec, CollectionSpec)}
_OWNER: dict[str, str] = {spec.name: spec.owner for spec in _SPECS.values()}
#: The collections each module of the store names.
_NAMES = {
    path: {_SPECS[name].name for name in names_from(path, "shared.store.owners") & set(_SPECS)}
    for path in modules("shared/store")
}
#: What a service reads that is another's; `shared` collections are everybody's.
_READS = {
    # feedback: which comments a deleted ticket of Zendesk had; with deliveries: what is known of somebody
    "ingest": {"directory", "api_keys", "feedback", "deliveries"},
    "classifier": {"directory"},
    "notifier": {"directory", "contributors", "feedback"},
    "console": set(),
}


def test_every_collection_is_declared_once() -> None:
    names = Counter(spec.name for spec in COLLECTIONS)
    assert names == Counter(spec.name for spec in _SPECS.values())
    assert set(names.values()) == {1}


@pytest.mark.parametrize("collection", sorted(_OWNER))
def test_a_collection_has_exactly_one_repository(collection: str) -> None:
    assert len([path for path, named in _NAMES.items() if collection in named]) == 1


@pytest.mark.parametrize("path", sorted(_NAMES), ids=str)
def test_a_repository_names_collections_of_one_owner(path: Path) -> None:
    assert len({_OWNER[collection] for collection in _NAMES[path]}) <= 1


@pytest.mark.parametrize("service", sorted(_READS))
def test_a_service_opens_what_it_owns_or_reads(service: str) -> None:
    imported = {module for path in modules(f"services/{service}") for module in imports(path)}
    opened = {name for path, named in _NAMES.items() if dotted(path) in imported for name in named}
    assert {name for name in opened if _OWNER[name] not in {service, "shared"}} <= _READS[service]


def test_a_collection_is_named_by_its_declaration_alone() -> None:
    """`store.collection("feedback")` would pass by the owner."""
    for path in modules():
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                by_word = node.func.attr in {"collection", "get_collection"} and node.args
                assert not (by_word and isinstance(node.args[0], ast.Constant)), f"{path}:{node.lineno}"


# ---- Adapters ----

#: The folder, its registry, and how the class of an adapter is called.
_ROOMS = (
    ("services/ingest/channels", "CHANNELS", ("Channel",)),
    ("services/classifier/engines", "ENGINES", ("Engine", "Tagger", "Encoder")),
    ("services/notifier/receivers", "RECEIVERS", ("Receiver",)),
)


@pytest.mark.parametrize(("room", "registry", "endings"), _ROOMS)
def test_every_adapter_is_registered_under_the_name_of_its_file(
    room: str, registry: str, endings: tuple[str, ...]
) -> None:
    defined = {
        (path.stem, f"{dotted(path)}.{node.name}")
        for path in modules(room)
        if path.stem != "__init__"
        for node in syntax(path).body
        if isinstance(node, ast.ClassDef) and node.name.endswith(endings) and not _is_protocol(node)
    }
    registered = vars(importlib.import_module(room.replace("/", ".")))[registry]
    assert {
        (name, f"{adapter.__module__}.{adapter.__name__}") for name, adapter in registered.items()
    } == defined


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


# ---- Imports ----


def test_importing_any_module_does_no_io() -> None:
    script = ROOT / "tests" / "support" / "import_everything.py"
    names = "\n".join(dotted(path) for path in modules())
    ended = subprocess.run(
        # -B: where nothing was imported before, the interpreter would write down what it compiled.
        [sys.executable, "-B", str(script), str(ROOT)],
        input=names,
        cwd="/",
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=50,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == ""


# ---- Metrics ----

_METRICS = {
    name: metric
    for name, metric in vars(metrics).items()
    if name.isupper() and name != "GROUPS" and name[0] != "_"
}
#: Values of these come from closed lists; a person, a piece or an address is none.
_LABELS = {
    *("kind", "topic", "outcome", "reason", "channel", "status", "cause", "triage", "receiver", "state"),
    *("service", "version", "route", "group", "partition", "volume", "mode", "purpose", "urgent"),
    # Of keys, webhooks and workspaces that somebody declared, the 500 that were heard last.
    "source",
}


@pytest.mark.parametrize("name", sorted(_METRICS))
def test_a_metric_is_prefixed_explained_and_labelled_from_closed_sets(name: str) -> None:
    metric = _METRICS[name]
    assert isinstance(metric, CounterMetric | Gauge | Histogram)
    (described,) = metric.describe()
    assert described.name.startswith("listeningpost_")
    assert described.documentation
    assert set(metric._labelnames) <= _LABELS


def test_metric_names_are_unique_and_in_one_list() -> None:
    names = [described.name for metric in _METRICS.values() for described in metric.describe()]
    assert len(set(names)) == len(names)
    makers = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
    elsewhere = [path for path in modules() if names_from(path, "prometheus_client") & makers]
    assert elsewhere == [Path("shared/telemetry/metrics.py")]


# ---- Words that have no place here ----

#: Put together, so that this file does not contain them. Hosts of registries belong to a machine's
#: configuration; paths are those of machines that build.
_FORBIDDEN = tuple(
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("index.docker", ".io"),
        ("registry-1.docker", ".io"),
        ("ghcr", ".io"),
        ("quay", ".io"),
        ("repo1.maven", ".org"),
        ("repo.maven", ".apache.org"),
        ("deb.debian", ".org"),
        ("crates", ".io"),
        ("/wo", "rk/"),
        ("/ro", "ot/.pyenv"),
        ("/t", "mp/lp"),
    )
)


def test_no_file_names_a_registry_or_a_build_machine() -> None:
    files = tracked_files()
    if files is None:
        pytest.skip("no git repository here")
    found = [
        f"{path}: {word}"
        for path in files
        for text in [(ROOT / path).read_text(encoding="utf-8", errors="ignore")]
        for word in _FORBIDDEN
        if word in text
    ]
    assert not found


# ---- Erasure ----


def test_every_collection_with_something_of_people_is_cleared_by_the_service_that_says_so() -> None:
    """`erasure` has no default, so a new collection says what becomes of it; here somebody has to do it."""
    promised = {(spec.erasure.by, spec.name) for spec in COLLECTIONS if isinstance(spec.erasure, Forgets)}
    done = {
        *(("ingest", name) for name in IntakeForgotten.collections),
        *(("classifier", name) for name in PiecesForgotten.collections),
        *(("notifier", name) for name in NoticesForgotten.collections),
    }
    assert promised == done


def test_every_collection_is_kept_by_a_setting_that_exists_or_as_long_as_words_say() -> None:
    page = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for spec in COLLECTIONS:
        if spec.kept.endswith("_days"):
            assert spec.kept in RetentionSettings.model_fields, spec.name
        assert f"`{spec.name}`" in page, f"docs/privacy.md says how long {spec.name} is kept"
