"""Which column of a CRM's export is which field of an account, by the names CRMs give them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from shared.domain.suggest import did_you_mean
from shared.errors import InvalidInput, Reason

#: Field → what its column may be called, folded: without case, accents, spaces and signs. English, German,
#: French, Spanish; among it the names Salesforce, HubSpot, Pipedrive, Zoho and Dynamics export with.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        *("id", "accountid", "customerid", "companyid", "clientid", "recordid", "crmid", "externalid"),
        *("accountnumber", "customernumber", "organizationid", "kundennummer", "kundennr", "kundenid"),
        *("numeroclient", "numerodecliente", "iddecliente"),
    ),
    "name": (
        *("name", "accountname", "companyname", "customername", "organizationname", "clientname"),
        *("company", "account", "customer", "organization", "organisation", "client", "firma", "firmenname"),
        *("kunde", "kundenname", "unternehmen", "societe", "entreprise", "raisonsociale", "empresa"),
        *("cliente", "razonsocial"),
    ),
    "domains": (
        *("domains", "domain", "emaildomain", "emaildomains", "maildomain", "companydomainname", "website"),
        *("companywebsite", "url", "websiteurl", "webseite", "internetseite", "homepage", "maildomains"),
        *("siteweb", "siteinternet", "sitioweb", "paginaweb", "dominio", "domaine"),
    ),
    "owner": (
        *("owner", "accountowner", "companyowner", "recordowner", "owneremail", "accountmanager"),
        *("keyaccountmanager", "customersuccessmanager", "csm", "betreuer", "kundenbetreuer", "inhaber"),
        *("verantwortlich", "responsable", "proprietaire", "propietario", "gestor"),
    ),
    "segment": (
        *("segment", "customersegment", "marketsegment", "accountsegment", "kundensegment"),
        *("marktsegment", "segmento", "segmentclient"),
    ),
    "tier": (
        *("tier", "customertier", "accounttier", "supporttier", "supportlevel", "servicelevel", "plan"),
        *("level", "stufe", "kundenstufe", "tarif", "niveau", "nivel", "formule"),
    ),
    "yearly_value": (
        *("yearlyvalue", "annualvalue", "arr", "annualrecurringrevenue", "acv", "annualcontractvalue"),
        *("contractvalue", "yearlyrevenue", "jahreswert", "vertragswert", "jahresvertragswert"),
        *("valeurannuelle", "valeurducontrat", "valoranual", "valordelcontrato"),
    ),
    "renewal": (
        *("renewal", "renewaldate", "contractend", "contractenddate", "contractrenewaldate", "enddate"),
        *("expirationdate", "expirydate", "vertragsende", "verlangerung", "verlaengerung", "laufzeitende"),
        *("datederenouvellement", "echeance", "fincontrat", "fechaderenovacion", "findecontrato"),
    ),
    "quotable": (
        *("quotable", "consenttoquote", "consenttobequoted", "referenceable", "referencecustomer"),
        *("reference", "zitierbar", "referenzkunde", "referenz", "citable", "clientreferent", "referencia"),
    ),
}
FIELDS = tuple(_NAMES)
_BY_NAME = {name: field for field, names in _NAMES.items() for name in names}


def find_columns(headers: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    """Field → place of its column. `chosen` are fields whose column's header is said, empty for none.

    Raises InvalidInput when two columns may be the same field, a chosen header is not there, or nothing says
    which account a row is about.
    """
    found: dict[str, int] = {}
    for field, header in chosen.items():
        if header:
            found[field] = _place(headers, field, header)
    for place, header in enumerate(headers):
        guessed = _BY_NAME.get(fold(header))
        if guessed is None or guessed in chosen or place in found.values():
            continue
        if guessed in found:
            raise InvalidInput(
                Reason.MALFORMED,
                f"{headers[found[guessed]]!r} and {header!r} may both be the column of {guessed!r}",
                remedy=f"say which: --column {guessed}={header!r}",
            )
        found[guessed] = place
    if "id" not in found and "name" not in found:
        raise InvalidInput(
            Reason.MISSING_FIELD,
            f"no column is the account's id or name; there are {', '.join(map(repr, headers)) or 'none'}",
            remedy="say which: --column name=HEADER",
        )
    return found


def fold(header: str) -> str:
    """`Numéro client` → `numeroclient`. A currency or unit in brackets is no part of a name."""
    bare = re.sub(r"[(\[].*?[)\]]", "", header)
    decomposed = unicodedata.normalize("NFKD", bare.casefold())
    return re.sub(r"[^a-z0-9]", "", decomposed)


def _place(headers: Sequence[str], field: str, header: str) -> int:
    if field not in _NAMES:
        remedy = did_you_mean(field, FIELDS, f"there are {', '.join(FIELDS)}")
        raise InvalidInput(Reason.UNKNOWN_FIELD, f"an account has no {field!r}", remedy=remedy)
    by_fold = {fold(name): place for place, name in reversed(list(enumerate(headers)))}
    if header in headers:
        return headers.index(header)
    if fold(header) not in by_fold:
        raise InvalidInput(
            Reason.MISSING_FIELD,
            f"there is no column {header!r} for {field!r}",
            remedy=did_you_mean(header, headers, f"there are {', '.join(map(repr, headers))}"),
        )
    return by_fold[fold(header)]
