"""Settings of the classifier: `LISTENINGPOST_CLASSIFIER__…`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shared.settings import CommonSettings, Section


class ClassifierSection(Section):
    engine: Literal["standard", "constant"] = Field(
        default="standard", description="constant tags everything alike: for benchmarks of the rest only"
    )
    batch: int = Field(default=200, ge=1, le=2_000, description="most live pieces tagged at once")
    bulk_batch: int = Field(default=50, ge=1, le=2_000, description="most imported pieces tagged at once")
    bulk_patience_s: float = Field(
        default=1.0, ge=0, description="how long an import's batch waits for a moment without live pieces"
    )
    linger_ms: int = Field(default=20, ge=1, le=1_000, description="how long a live batch is gathered")
    bulk_linger_ms: int = Field(
        default=200, ge=1, le=5_000, description="how long an imported one is; asking rarely costs less"
    )


class ClassifierSettings(CommonSettings):
    classifier: ClassifierSection = ClassifierSection()
