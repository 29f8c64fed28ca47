"""What somebody reads who has given feedback, in the language they used where we have it."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.delivery import Content


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    thanks: str
    about: str
    triage: str
    more: str


_WORDS = {
    "en": _Words(
        "Your feedback",
        "Thank you. Your feedback has arrived and is on its way to the people it concerns.",
        "We take it to be about: {touchpoints}.",
        "A person will read it and find out whom it concerns.",
        "If you want to add something, just answer here.",
    ),
    "de": _Words(
        "Ihre Rückmeldung",
        "Vielen Dank. Ihre Rückmeldung ist angekommen und geht an die Menschen, die sie betrifft.",
        "Wir verstehen, dass es darum geht: {touchpoints}.",
        "Jemand wird sie lesen und herausfinden, wen sie betrifft.",
        "Wenn Sie etwas ergänzen möchten, antworten Sie einfach hier.",
    ),
    "fr": _Words(
        "Votre retour",
        "Merci. Votre retour est bien arrivé et part vers les personnes concernées.",
        "Nous comprenons qu'il s'agit de : {touchpoints}.",
        "Quelqu'un va le lire et trouver qui est concerné.",
        "Pour ajouter quelque chose, répondez simplement ici.",
    ),
    "es": _Words(
        "Sus comentarios",
        "Gracias. Sus comentarios han llegado y van a las personas a quienes conciernen.",
        "Entendemos que se trata de: {touchpoints}.",
        "Alguien los leerá y averiguará a quién conciernen.",
        "Si desea añadir algo, responda simplemente aquí.",
    ),
}


@dataclass(frozen=True, slots=True)
class Thanks:
    """`subject` is for where there is no conversation to join; `lines` are plain sentences."""

    subject: str
    lines: tuple[str, ...]


def thanks(content: Content) -> Thanks:
    """Never quotes what was said: it may be read over somebody's shoulder, and its author knows it."""
    words = _WORDS.get(content.language, _WORDS["en"])
    understood = words.about.format(touchpoints=", ".join(content.touchpoints)) if content.touchpoints else ""
    about = understood or words.triage
    return Thanks(words.subject, (words.thanks, about, words.more))
