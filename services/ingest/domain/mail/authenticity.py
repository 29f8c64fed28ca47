"""Whether the sender of a mail is who it says. Only a mail server of ours can know, and only its word counts.

Sources: RFC 8601 (Authentication-Results), RFC 7489 section 3.1 (alignment). RFC 8601 section 5 has the
server remove such headers from outside; here the topmost alone counts, and only from a peer that is trusted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from services.ingest.domain.mail.headers import raw_values
from services.ingest.domain.mail.message import Mail

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Both may hold what the sender wrote, a semicolon and a verdict of its own included.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"\s*([a-z0-9-]+)(?:/\d+)?\s*=\s*([a-z]+)")
_PROPERTY = re.compile(r"\b([a-z]+)\.([a-z0-9-]+)\s*=\s*\"?([^\s;\"]+)")
#: Which property names the domain that the method vouches for.
_VOUCHED: Final = {"dkim": ("header", "d"), "spf": ("smtp", "mailfrom")}


def is_proven(mail: Mail, peer: str, authserv_id: str | None, trusted: Sequence[Network]) -> bool:
    """The address in From is the sender's: DMARC passed for its domain, or DKIM or SPF for one it is under.

    False in doubt: no or two addresses in From, a peer that is not trusted, a server of another name, and
    DMARC that failed whatever the others say.
    """
    return is_trusted(peer, trusted) and is_vouched_for(mail, authserv_id)


def is_vouched_for(mail: Mail, authserv_id: str | None) -> bool:
    """The same for mail that no peer sent just now, but somebody who is trusted brought from a mailbox."""
    if mail.sender is None or mail.senders != 1 or not authserv_id:
        return False
    headers = raw_values(mail.message, "authentication-results")
    if not headers:
        return False
    plain = _COMMENT.sub(" ", _COMMENT.sub(" ", _QUOTED.sub("", headers[0])))
    server, *results = plain.split(";")
    named = next(iter(server.split()), "").lower()
    if any(left in plain for left in '"()') or named != authserv_id.lower():
        return False
    return _passes(results, mail.sender.domain)


def is_trusted(peer: str, trusted: Sequence[Network]) -> bool:
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return any((mapped or address) in network for network in trusted)


def _passes(results: list[str], domain: str) -> bool:
    verdicts: dict[str, bool] = {}
    for result in results:
        head = _RESULT.match(result.lower())
        if head is None:
            continue
        method, verdict = head[1], head[2]
        properties = {(found[1], found[2]): found[3] for found in _PROPERTY.finditer(result.lower())}
        if method == "dmarc":
            # Its domain is checked: a header may hold the verdict on another mail's From.
            passed = verdict == "pass" and properties.get(("header", "from"), domain) == domain
            verdicts[method] = verdicts.get(method, True) and passed
        elif method in _VOUCHED:
            vouched = properties.get(_VOUCHED[method], "").rpartition("@")[2].rstrip(".")
            aligned = verdict == "pass" and _is_under(domain, vouched)
            verdicts[method] = verdicts.get(method, False) or aligned
    return verdicts["dmarc"] if "dmarc" in verdicts else any(verdicts.values())


def _is_under(domain: str, vouched: str) -> bool:
    """Whether who vouches for `vouched` may speak for `domain`: it, or a domain above it but no TLD."""
    return bool(vouched) and "." in vouched and (domain == vouched or domain.endswith("." + vouched))
