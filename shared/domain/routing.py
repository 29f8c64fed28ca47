"""Which receivers get a piece: its labels, and a walk through the tree of routes after Alertmanager's.

Source: Prometheus Alertmanager, dispatch/route.go, `Route.Match`.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.directory import Directory
from shared.domain.matchers import Labels, Matcher, parse_matcher
from shared.domain.network import products_of, touchpoints_of
from shared.domain.route import Route
from shared.events.feedback import FeedbackClassified


@dataclass(frozen=True, slots=True)
class RouteNode:
    """A route with its matchers parsed and its receiver inherited."""

    matchers: tuple[Matcher, ...]
    receiver: str
    goes_on: bool
    children: tuple[RouteNode, ...]


def compile_routes(root: Route) -> RouteNode:
    """The tree, ready to be walked; raises InvalidInput naming the first matcher that cannot be parsed."""
    return _compile(root, root.receiver or "")


def _compile(route: Route, inherited: str) -> RouteNode:
    receiver = route.receiver or inherited
    return RouteNode(
        matchers=tuple(parse_matcher(text) for text in route.match),
        receiver=receiver,
        goes_on=route.continue_,
        children=tuple(_compile(child, receiver) for child in route.routes),
    )


def route(labels: Labels, tree: RouteNode) -> tuple[str, ...]:
    """Ids of the receivers, each once, in the order of the tree; the root takes what nothing below it takes.

    The matchers of the root itself are not asked: somebody is always told.
    """
    return tuple(dict.fromkeys(_walk(labels, tree)))


def _walk(labels: Labels, node: RouteNode) -> list[str]:
    found: list[str] = []
    for child in node.children:
        if all(matcher.holds(labels) for matcher in child.matchers):
            found += _walk(labels, child)
            if not child.goes_on:
                break
    return found or [node.receiver]


def labels(piece: FeedbackClassified, directory: Directory) -> Labels:
    """What routes match on. Segment and account are those of whoever spoke and of whom they spoke for."""
    tags = piece.tags
    speakers = [piece.reported_by] + ([piece.spoken_for] if piece.spoken_for is not None else [])
    touchpoints = touchpoints_of(piece, directory)
    return {
        "product": products_of(piece, directory),
        "touchpoint": touchpoints,
        "stage": tuple(dict.fromkeys(directory.stage_of[touchpoint].id for touchpoint in touchpoints)),
        "lens": tuple(tag.id.value for tag in tags.lenses),
        "department": tuple(name for tag in tags.lenses for name in directory.departments_of[tag.id]),
        "polarity": (tags.polarity.value,),
        "kind": (tags.kind.value,),
        "about": (tags.about.value,),
        "urgency": (tags.urgency.value,),
        "channel": (piece.channel,),
        "mode": (piece.mode.value,),
        "segment": tuple(dict.fromkeys(speaker.segment for speaker in speakers if speaker.segment)),
        "account": tuple(dict.fromkeys(speaker.account for speaker in speakers if speaker.account)),
        "language": (tags.language,),
        "needs_triage": (_word(truth=tags.needs_triage),),
        "confidential": (_word(truth=piece.confidential),),
    }


def _word(*, truth: bool) -> str:
    return "true" if truth else "false"
