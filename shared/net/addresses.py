"""Which addresses a URL that somebody typed in may lead to: public ones, and what the operator allowed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Reads as public, but answers a virtual machine of Azure with its secrets.
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16")})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_BITS = 0xFFFFFFFF


def is_allowed(address: str, allowed: Sequence[Network] = ()) -> bool:
    """Whether to connect to `address`, a literal as a resolver gives it.

    Refused unless `allowed` names them: private, loopback, link-local (the cloud's metadata at
    169.254.169.254 among them), shared, reserved and multicast ones, also where IPv6 wraps them.
    """
    unwrapped = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
    if any(unwrapped.version == network.version and unwrapped in network for network in allowed):
        return True
    return unwrapped.is_global and not unwrapped.is_multicast and unwrapped not in _METADATA


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64), else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
