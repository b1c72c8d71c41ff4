"""Network addresses, as tries from them are counted."""

from ipaddress import IPv6Address, ip_address, ip_network

PREFIX = 64
"""Bits of an IPv6 address that name a line: whoever has one has all 2⁶⁴ addresses behind it."""


def one_line(address: str) -> str:
    """What stands for everybody behind the same line: an IPv4 address also if it is written as IPv6, else the first 64 bits.

    What is no address (a proxy may say a name) stands for itself.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, PREFIX), strict=False).network_address)
