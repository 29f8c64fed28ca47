"""Which summaries follow from an import: for each owner of a touchpoint that is concerned, what it comes to.

Who needs triage to be done, and who has no owner, is the triage owner's. Nobody else is told: an import has
no agents and no one to thank.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.notifier.domain.chain import chain_to_person, chain_to_place
from services.notifier.domain.plan import Frame
from services.notifier.domain.summary_wording import bucket_name, origin, person_why, place_why
from shared import ids
from shared.domain.bucket import Bucket
from shared.domain.delivery import PLACE, Delivery, Purpose, State, Target
from shared.domain.directory import Directory
from shared.domain.lens import LENS_NAMES
from shared.domain.network import Why, WhyCode
from shared.domain.route import ReceiverKind, ReceiverSpec
from shared.domain.routing import route
from shared.domain.summary import Count, Group, Sample, Summary, Tally
from shared.events.feedback import Polarity, Urgency

_KEEP = frozenset({Polarity.KEEP, Polarity.MIXED})
_CHANGE = frozenset({Polarity.CHANGE, Polarity.MIXED})
_MOST_QUOTES = 5
_MOST_TALLIES = 50


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the store knows of a run: its pieces, those that are alike together, and some to quote."""

    groups: tuple[Group, ...]
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class _Whole:
    """The run as a whole, whoever reads of it."""

    name: str
    pieces: int
    needs_triage: int
    samples: tuple[Sample, ...]


@dataclass(slots=True)
class _Reader:
    """Somebody or some place, and what of the run is theirs. `tagged`: the touchpoints they are told of."""

    chain: tuple[Target, ...]
    groups: dict[int, Group] = field(default_factory=dict)
    whys: dict[Why, None] = field(default_factory=dict)
    tagged: set[str | None] = field(default_factory=set)


def summaries(bucket: Bucket, gathered: Gathered, frame: Frame) -> tuple[Delivery, ...]:
    """A row for each reader. The ids follow from bucket, run and reader: planning again adds nothing.

    Empty when there is nothing new in it.
    """
    whole = _Whole(
        bucket_name(bucket),
        _sum(gathered.groups),
        _sum(group for group in gathered.groups if group.needs_triage),
        gathered.samples,
    )
    notice = ids.notice_id(f"{bucket.key} run {bucket.run}", Purpose.SUMMARY)
    rows = []
    for recipient, reader in _readers(gathered.groups, frame).items():
        why = _why(recipient, reader, frame.directory)
        row = Delivery(
            id=ids.delivery_id(notice, recipient),
            notice_id=notice,
            feedback_id="",
            purpose=Purpose.SUMMARY,
            recipient=recipient,
            chain=reader.chain,
            due_at=frame.now,
            revision=0,
            received_at=frame.now,
            why=why,
            state=State.DUE if reader.chain else State.FAILED,
            problem=None if reader.chain else "no address in the directory",
            summary=_summary(whole, recipient, reader, frame.directory),
        )
        rows.append(row)
    return tuple(rows)


def _readers(groups: Iterable[Group], frame: Frame) -> Mapping[str, _Reader]:
    """The routes say by which receivers, as they do for single pieces."""
    found: dict[str, _Reader] = {}
    for number, group in enumerate(groups):
        for receiver in _receivers(group, frame):
            for recipient, chain, why, touchpoint in _told(group, receiver, frame.directory):
                reader = found.setdefault(recipient, _Reader(chain))
                reader.groups[number] = group
                reader.tagged.add(touchpoint)
                if why is not None:
                    reader.whys[why] = None
    return found


def _receivers(group: Group, frame: Frame) -> Iterator[ReceiverSpec]:
    """Of several that lead to people the first."""
    to_people = False
    for name in route(group_labels(group, frame.directory), frame.routes):
        receiver = frame.directory.receivers.get(name)
        if receiver is None or (to_people and receiver.kind is ReceiverKind.PEOPLE):
            continue
        to_people = to_people or receiver.kind is ReceiverKind.PEOPLE
        yield receiver


def group_labels(group: Group, directory: Directory) -> Mapping[str, tuple[str, ...]]:
    """What routes match on. Nothing in a summary is urgent; it is of no one account, segment or language."""
    touchpoints = _known(group, directory)
    products = (directory.product_of[touchpoint].id for touchpoint in touchpoints)
    stages = (directory.stage_of[touchpoint].id for touchpoint in touchpoints)
    return {
        "product": tuple(dict.fromkeys(products)),
        "touchpoint": touchpoints,
        "stage": tuple(dict.fromkeys(stages)),
        "lens": tuple(lens.value for lens in group.lenses),
        "polarity": (group.polarity.value,),
        "kind": (group.kind.value,),
        "about": (group.about.value,),
        "urgency": (Urgency.NORMAL.value,),
        "channel": (group.channel,),
        "mode": (group.mode.value,),
        "needs_triage": ("true" if group.needs_triage else "false",),
    }


def _told(
    group: Group, receiver: ReceiverSpec, directory: Directory
) -> Iterator[tuple[str, tuple[Target, ...], Why | None, str | None]]:
    """Recipient, chain, reason, and the touchpoint it is told for."""
    touchpoints = _known(group, directory)
    if receiver.kind is not ReceiverKind.PEOPLE:
        for touchpoint in touchpoints or (None,):
            yield f"{PLACE}{receiver.id}", chain_to_place(receiver), None, touchpoint
        return
    for touchpoint, person_id, why in _responsible(group, touchpoints, directory):
        yield person_id, chain_to_person(directory.people[person_id], receiver.via), why, touchpoint


def _responsible(
    group: Group, touchpoints: Sequence[str], directory: Directory
) -> Iterator[tuple[str | None, str, Why]]:
    for touchpoint in touchpoints:
        owner, product = directory.touchpoints[touchpoint].owner, directory.product_of[touchpoint]
        if owner is not None:
            yield touchpoint, owner, Why(WhyCode.OWNER, touchpoint=touchpoint)
        else:
            yield touchpoint, product.pm, Why(WhyCode.PRODUCT_OWNER, product=product.id)
    if group.needs_triage or not touchpoints:
        yield None, directory.workspace.triage_owner, Why(WhyCode.TRIAGE)


def _known(group: Group, directory: Directory) -> tuple[str, ...]:
    return tuple(touchpoint for touchpoint in group.touchpoints if touchpoint in directory.touchpoints)


def _why(recipient: str, reader: _Reader, directory: Directory) -> tuple[str, ...]:
    if recipient.startswith(PLACE):
        return place_why(recipient.removeprefix(PLACE))
    return person_why(tuple(reader.whys), directory)


def _summary(whole: _Whole, recipient: str, reader: _Reader, directory: Directory) -> Summary:
    groups = tuple(reader.groups.values())
    tallies = _tallies(groups, reader, directory)
    return Summary(
        name=whole.name,
        pieces=_sum(groups),
        of_all=whole.pieces,
        keep=_sum(group for group in groups if group.polarity in _KEEP),
        change=_sum(group for group in groups if group.polarity in _CHANGE),
        needs_triage=whole.needs_triage,
        first_at=min(group.first_at for group in groups),
        last_at=max(group.last_at for group in groups),
        origins=_counts((origin(group), group.pieces) for group in groups),
        touchpoints=tuple(tally for _, tally in tallies)[:_MOST_TALLIES],
        lenses=_counts((LENS_NAMES[lens], group.pieces) for group in groups for lens in group.lenses),
        quoted=_quoted(recipient, [touchpoint for touchpoint, _ in tallies], reader.tagged, whole.samples),
    )


def _tallies(groups: Sequence[Group], reader: _Reader, directory: Directory) -> list[tuple[str, Tally]]:
    """Of the reader's own touchpoints, the most frequent first."""
    of_touchpoint: dict[str, list[Group]] = defaultdict(list)
    for group in groups:
        for touchpoint in _known(group, directory):
            if touchpoint in reader.tagged:
                of_touchpoint[touchpoint].append(group)
    tallies = [
        (
            touchpoint,
            Tally(
                name=directory.touchpoints[touchpoint].name,
                pieces=_sum(theirs),
                keep=_sum(group for group in theirs if group.polarity in _KEEP),
                change=_sum(group for group in theirs if group.polarity in _CHANGE),
            ),
        )
        for touchpoint, theirs in of_touchpoint.items()
    ]
    return sorted(tallies, key=lambda one: (-one[1].pieces, one[0]))


def _quoted(
    recipient: str, touchpoints: Sequence[str], tagged: set[str | None], samples: Sequence[Sample]
) -> tuple[str, ...]:
    """A few, of the most frequent touchpoints first, change and keep in turn; none of the reader's own words.

    Of what has no touchpoint only as many as there is room for.
    """
    wanted: list[str | None] = [*touchpoints, *([None] if None in tagged else [])]
    by_place: dict[tuple[str | None, Polarity], list[str]] = defaultdict(list)
    for sample in samples:
        if recipient not in sample.by:
            by_place[sample.touchpoint, sample.polarity].append(sample.feedback_id)
    found: dict[str, None] = {}
    for turn in range(_MOST_QUOTES):
        for touchpoint in wanted:
            for polarity in (Polarity.CHANGE, Polarity.KEEP, Polarity.MIXED, Polarity.NEUTRAL):
                there = by_place[touchpoint, polarity]
                if turn < len(there) and len(found) < _MOST_QUOTES:
                    found[there[turn]] = None
    return tuple(found)


def _counts(pairs: Iterable[tuple[str, int]]) -> tuple[Count, ...]:
    counted: Counter[str] = Counter()
    for name, pieces in pairs:
        counted[name] += pieces
    ranked = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(Count(name, pieces) for name, pieces in ranked[:_MOST_TALLIES])


def _sum(groups: Iterable[Group]) -> int:
    return sum(group.pieces for group in groups)
