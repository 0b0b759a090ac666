"""Which IP addresses may be connected to, so that a link cannot reach into the network that the collector runs in (SSRF).

The check is made after DNS, on the address to which the connection is opened. So a name cannot resolve to one address for the
check and to another for the connection.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Final

AddressInfo = tuple[Any, ...]

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_COMPATIBLE: Final = ipaddress.ip_network("::/96")
_REFUSED: Final = tuple(
    ipaddress.ip_network(network)
    # networks that is_global of this Python may not know: carrier NAT, benchmarks, "this network", 6to4 relays, local NAT64,
    # the former site-local ones, documentation, segment routing
    for network in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "fec0::/10",
        "3fff::/20",
        "5f00::/16",
    )
)


_METADATA_NETWORKS: Final = (
    "169.254.0.0/16", "fe80::/10",  # link-local: AWS, Google, Azure, Oracle, OpenStack and others
    "fd00:ec2::/32", "fd20:ce::/32", "fd00:c1::/32", "fd00:42::/32",  # over IPv6: AWS, Google, Oracle, Scaleway
    "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",  # Alibaba, Azure's host, Oracle before
)  # fmt: skip
_METADATA: Final = tuple(ipaddress.ip_network(network) for network in _METADATA_NETWORKS)
"""Where clouds answer machines with their credentials. No news is there, so these stay closed to private collectors too."""


class RefusedAddressError(OSError):
    """The address may not be connected to."""


def _ip(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address in, the IP that a connection to it reaches out: an IPv4 address inside an IPv6 address is that one."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and (ip in _NAT64 or (ip in _COMPATIBLE and int(ip) > 1)):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        return inner or ip
    return ip


def is_public(address: str) -> bool:
    """An IP address in, whether it belongs to the public internet out; also for an IPv4 address inside an IPv6 address."""
    ip = _ip(address)
    if ip is None:
        return False
    special = (
        ip.is_private or ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    )
    return ip.is_global and not special and not _in(ip, _REFUSED)


def is_metadata(address: str) -> bool:
    """An IP address in, whether a cloud may answer there with the secrets of this machine out."""
    ip = _ip(address)
    return ip is not None and _in(ip, _METADATA)


def _in(ip: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: tuple[Any, ...]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)


def socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Return a function that makes sockets, and raises an error for addresses that are not public.

    aiohttp calls it with each address right before it opens the connection, for names, redirects and literal addresses alike.
    """

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if is_metadata(str(address[0])):
            raise RefusedAddressError(f"{address[0]} is an address of a cloud's metadata, which is never asked")
        if not allow_private and not is_public(str(address[0])):
            raise RefusedAddressError(f"{address[0]} is not a public address (collector.allow_private_addresses)")
        return socket.socket(family=family, type=kind, proto=protocol)

    return make
