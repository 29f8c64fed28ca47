"""The engines: one file each, one line each here. Importing them reads nothing."""

from __future__ import annotations

from collections.abc import Callable

from services.classifier.engines.about import AboutEngine
from services.classifier.engines.constant import ConstantTagger
from services.classifier.engines.encoder import SentenceEncoder
from services.classifier.engines.language import LanguageEngine
from services.classifier.engines.lenses import LensEngine
from services.classifier.engines.polarity import PolarityEngine
from services.classifier.engines.segments import SegmentEngine
from services.classifier.engines.standard import StandardTagger
from services.classifier.engines.touchpoints import TouchpointEngine
from services.classifier.engines.urgency import UrgencyEngine
from services.classifier.tagging import Tagger

#: What `LISTENINGPOST_CLASSIFIER__ENGINE` may name: an engine that puts the others together.
TAGGERS: dict[str, Callable[[], Tagger]] = {
    "standard": StandardTagger,
    "constant": ConstantTagger,
}

ENGINES: dict[str, type] = {
    "about": AboutEngine,
    "constant": ConstantTagger,
    "encoder": SentenceEncoder,
    "language": LanguageEngine,
    "lenses": LensEngine,
    "polarity": PolarityEngine,
    "segments": SegmentEngine,
    "standard": StandardTagger,
    "touchpoints": TouchpointEngine,
    "urgency": UrgencyEngine,
}
