"""A tagger that tags everything alike."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from shared.domain.directory import Directory
from shared.domain.lens import Lens
from shared.events.feedback import (
    FeedbackReceived,
    Kind,
    LensTag,
    Polarity,
    Tags,
    TouchpointTag,
)

_log = structlog.get_logger()


class ConstantTagger:
    """For benchmarks of everything but tagging, and for nothing else: it does not look at the text."""

    version = "constant/1"

    def load(self, directory: Directory | None) -> None:  # noqa: ARG002 - it reads nothing
        """Nothing to load; says in the log what is running."""
        _log.warning("constant_tagger_in_use", meaning="every piece gets the same tags: for benchmarks only")

    def tag(self, events: Sequence[FeedbackReceived], directory: Directory) -> list[Tags]:
        """The first touchpoint of the directory for everybody."""
        product = directory.workspace.products[0]
        tags = Tags(
            products=(product.id,),
            touchpoints=(TouchpointTag(id=product.touchpoints[0].id, score=1.0),),
            lenses=(LensTag(id=Lens.DEVELOPMENT, score=1.0),),
            polarity=Polarity.CHANGE,
            kind=Kind.PROBLEM,
        )
        return [tags] * len(events)
