"""How much a speaker's voice counts: the target market, the segment and the persona count for more.

This is the weight of one piece. That a loud voice does not count ten times is the business of trends, which
count people.
"""

from __future__ import annotations

from math import prod

from shared.domain.counting import counts
from shared.domain.directory import Directory
from shared.events.feedback import Mode, Speaker, Weight


def weigh(
    reported_by: Speaker, spoken_for: Speaker | None, directory: Directory, mode: Mode = Mode.LIVE
) -> Weight:
    """The weight of whoever the piece comes from in the end: the one spoken for, else the one who reports.

    `value` is the product of `segment_fit`, `segment_weight` and `persona_weight`, each 0..10, and 1.0 where
    the directory says nothing. `known` is false when it says nothing of segment and persona: weighed as
    unknown, which is not the same as known to be average. So is whatever does not count, whoever it is from.
    A speaker whose segment is not given has that of the account, as the directory has it now.
    """
    if not counts(mode):
        return Weight()
    speaker = spoken_for or reported_by
    workspace = directory.workspace
    segment_id = speaker.segment or directory.segments.get(speaker.account or "")
    segment = next((s for s in workspace.segments if s.id == segment_id), None)
    persona = next((p for p in workspace.personas if p.id == speaker.persona), None)
    parts = {
        "segment_fit": segment.fit if segment else 1.0,
        "segment_weight": segment.weight if segment else 1.0,
        "persona_weight": persona.weight if persona else 1.0,
    }
    return Weight(value=prod(parts.values()), parts=parts, known=segment is not None or persona is not None)
