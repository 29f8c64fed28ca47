"""Made-up feedback: seeded, so that two runs send the same; all different, so that no cache can answer."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

_SENTENCES = {
    "en": (
        "The invoice shows a line called 'adjustment B' and nobody can tell me what it stands for.",
        "Your technician arrived on time, explained every step and even tidied up the server room.",
        "I could not find a single price on your website before I was asked for my phone number.",
        "Creating an account took me three attempts, because the confirmation mail came after an hour.",
        "We really like how quickly support called back during the outage last Thursday.",
        "The availability check says yes for our street, and two weeks later the answer was no.",
        "Please let us download all bills of a year at once instead of month by month.",
        "The renewal letter is written for lawyers, my team did not understand the notice period.",
        "In the portal the list of open tickets jumps back to the first page whenever I go back.",
        "The welcome package had everything we needed, and the router worked at once.",
        "Could the status page also tell which of our sites are affected, not only the region?",
        "The speed test in the portal measures something else than what our own monitoring sees.",
        "When we cancelled the second line, nobody asked why, and the equipment was never collected.",
    ),
    "de": (
        "Auf der Rechnung steht ein Posten, den auch der Kundendienst nicht erklären konnte.",
        "Die Bestellung lief reibungslos, nur der Liefertermin wurde zweimal verschoben.",
        "Das Portal ist übersichtlich, aber die Anmeldung mit zweitem Faktor dauert zu lange.",
        "Der Techniker war pünktlich und hat uns alles in Ruhe gezeigt, das darf gern so bleiben.",
    ),
    "fr": (
        "Le technicien n'a pas prévenu de son retard et nous avons attendu toute la matinée.",
        "Le tableau de bord est très clair, c'est exactement ce qu'il nous fallait pour nos trois sites.",
        "Sur la facture, il manque le détail des remises que le commercial nous avait promises.",
    ),
    "es": (
        "La factura llega siempre tarde y no coincide con el presupuesto que firmamos.",
        "El soporte respondió en diez minutos y resolvió el corte de conexión por la noche.",
        "No encontramos en el portal dónde cambiar la persona de contacto de nuestra cuenta.",
    ),
}
_LANGUAGES = ("en", "en", "en", "en", "en", "en", "de", "de", "fr", "es")
_SUBJECTS = (
    "Berlin office",
    "warehouse 7",
    "our two sites",
    "the new branch",
    "customer 4711",
    "the call centre",
)


def texts(seed: int) -> Iterator[str]:
    """For ever: one to three sentences in one language and a reference, some 30 words, all different."""
    chance = random.Random(seed)
    for number in itertools.count(1):
        sentences = chance.sample(_SENTENCES[chance.choice(_LANGUAGES)], chance.randint(1, 3))
        yield f"{' '.join(sentences)} ({chance.choice(_SUBJECTS)}, {seed}-{number})"


def items(seed: int) -> Iterator[dict[str, Any]]:
    """For ever: items as `POST /v1/feedback` takes them, each a piece of its own."""
    for number, text in enumerate(texts(seed), start=1):
        yield {"external_id": f"load-{seed}-{number}", "text": text}


def ndjson(seed: int, batches: int, size: int) -> list[bytes]:
    """`batches` request bodies of `size` items."""
    stream = items(seed)
    return [b"\n".join(json.dumps(next(stream)).encode() for _ in range(size)) for _ in range(batches)]
