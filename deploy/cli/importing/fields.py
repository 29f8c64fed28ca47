"""What a column may become, and what such columns are called in the four languages of our users."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

#: Field of an item → what columns for it are called, the surest first. Read by `plain`.
SYNONYMS: Final[dict[str, tuple[str, ...]]] = {
    "text": (
        *("text", "feedback", "comment", "comments", "review text", "review", "verbatim", "message", "body"),
        *(
            "content",
            "description",
            "feedback text",
            "comment text",
            "answer",
            "response",
            "remarks",
            "remark",
        ),
        *("tweet", "utterance", "what was said", "rückmeldung", "kommentar", "kommentare", "bewertungstext"),
        *("freitext", "nachricht", "inhalt", "beschreibung", "meinung", "anmerkung", "bemerkung", "antwort"),
        *("commentaire", "commentaires", "avis", "texte", "contenu", "remarque", "réponse", "retour"),
        *("comentario", "comentarios", "opinión", "texto", "mensaje", "contenido", "descripción", "reseña"),
        *("respuesta", "observaciones", "observación", "sugerencia"),
    ),
    "title": (
        *("title", "subject", "headline", "review title", "summary", "betreff", "titel", "überschrift"),
        *("titre", "objet", "sujet", "título", "asunto"),
    ),
    "external_id": (
        *("external id", "id", "uuid", "review id", "response id", "feedback id", "comment id", "ticket id"),
        *(
            "case id",
            "message id",
            "tweet id",
            "submission id",
            "ticket number",
            "case number",
            "ticket",
            "key",
        ),
        *("reference", "ref", "vorgangsnummer", "ticketnummer", "fallnummer", "nummer", "kennung", "nr"),
        *("identifiant", "référence", "numéro", "numéro de ticket", "identificador", "referencia"),
        *("número", "número de caso"),
    ),
    "occurred_at": (
        *(
            "occurred at",
            "created at",
            "created",
            "created on",
            "creation date",
            "created date",
            "submitted at",
        ),
        *("submitted", "submission date", "date submitted", "date", "timestamp", "datetime", "date time"),
        *(
            "posted at",
            "published at",
            "received at",
            "review date",
            "response date",
            "recorded date",
            "time",
        ),
        *("end date", "start date", "datum", "erstellt am", "erstellt", "erstelldatum", "zeitstempel"),
        *("eingangsdatum", "zeitpunkt", "date de création", "créé le", "horodatage", "date de réponse"),
        *("fecha", "fecha de creación", "creado el", "creado", "marca temporal", "fecha y hora"),
    ),
    "revision": (
        *("revision", "updated at", "updated", "last updated", "modified at", "modified", "last modified"),
        *("edited at", "geändert am", "aktualisiert am", "zuletzt geändert", "modifié le", "mis à jour le"),
        *("actualizado el", "actualizado", "fecha de modificación"),
    ),
    "author.email": (
        *(
            "author email",
            "email",
            "e mail",
            "email address",
            "customer email",
            "requester email",
            "user email",
        ),
        *("mail", "from", "sender", "e mail adresse", "email adresse", "mailadresse", "absender"),
        *("adresse e mail", "adresse email", "courriel", "expéditeur"),
        *("correo electrónico", "correo", "remitente"),
    ),
    "author.name": (
        *("author name", "author", "name", "full name", "customer name", "user name", "username", "reviewer"),
        *(
            "requester name",
            "requester",
            "respondent",
            "customer",
            "user",
            "verfasser",
            "autor",
            "kundenname",
        ),
        *("benutzer", "kunde", "auteur", "nom", "nom du client", "utilisateur", "client"),
        *("nombre", "nombre del cliente", "usuario", "cliente"),
    ),
    "author.id": (
        *("author id", "customer id", "user id", "account id", "contact id", "respondent id", "client id"),
        *("kundennummer", "kunden id", "kundennr", "numéro client", "numéro de client", "id client"),
        *("número de cliente", "id cliente"),
    ),
    "rating": (
        *(
            "rating",
            "stars",
            "star rating",
            "nps",
            "nps score",
            "csat",
            "csat score",
            "ces",
            "score",
            "grade",
        ),
        *(
            "satisfaction",
            "how likely",
            "likelihood to recommend",
            "recommend",
            "bewertung",
            "sterne",
            "punkte",
        ),
        *("zufriedenheit", "weiterempfehlung", "note", "évaluation", "étoiles", "recommandation"),
        *("calificación", "puntuación", "valoración", "estrellas", "satisfacción", "recomendación"),
    ),
    "url": ("url", "link", "permalink", "review url", "lien", "enlace"),
    "thread_id": ("thread id", "thread", "conversation id", "conversation", "parent id"),
    "touchpoint": ("touchpoint",),
    "affiliation": ("affiliation",),
    "confidential": ("confidential", "vertraulich", "confidentiel", "confidencial"),
}
#: What may be set or mapped besides, by who knows our names for it.
BESIDES: Final = (
    "product",
    "brief",
    "author.slack",
    "author.verified",
    "on_behalf_of.email",
    "on_behalf_of.name",
)
TARGETS: Final = (*SYNONYMS, *BESIDES)
#: Columns of our own errors file, which are no part of the row.
OURS: Final = "import_"
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_WORD = re.compile(r"[\W_]+")


def plain(name: str) -> str:
    """`name` as words without capitals and accents: "createdAt", "Created-At" and "created_at" are one."""
    split = _CAMEL.sub(" ", name)
    folded = unicodedata.normalize("NFKD", split.casefold())
    kept = "".join(char for char in folded if not unicodedata.combining(char))
    return _NO_WORD.sub(" ", kept).strip()


def meaning(name: str) -> str | None:
    """The field a column with exactly this name is for."""
    return _exact().get(plain(name))


def rank(name: str, field: str) -> float:
    """How surely a column of that name is for `field`, 0 to 100; to be called so beats having it within."""
    words = plain(name)
    padded = f" {words} "
    best = 0.0
    for place, synonym in enumerate(_plain_synonyms()[field]):
        if words == synonym:
            return 100 - place * 0.5
        # Somebody's "customer id" names no row, and two rows of one id would be one piece.
        if f" {synonym} " in padded and field != "external_id":
            best = max(best, 50 - place * 0.5 - len(words) * 0.1)
    return max(best, 0.0)


@cache
def _exact() -> dict[str, str]:
    return {name: field for field, names in reversed(_plain_synonyms().items()) for name in names}


@cache
def _plain_synonyms() -> dict[str, tuple[str, ...]]:
    return {field: tuple(map(plain, names)) for field, names in SYNONYMS.items()}
