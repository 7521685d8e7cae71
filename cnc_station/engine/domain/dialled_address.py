"""Which network addresses CNC Station may send a request to.

A webhook's address comes from a person, and a name may lead anywhere. Private networks and this
computer are allowed, because a shop's own servers are there. Addresses that are not a server of the
shop are refused: link-local ones, the metadata services of clouds, multicast, broadcast and
reserved ranges, however they are written.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_NAT64 = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215: of any prefix length
_COMPATIBLE = IPv6Network("::/96")
_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_BROADCAST = IPv4Address("255.255.255.255")
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

# Metadata services at addresses that are not link-local.
_METADATA = frozenset(
    ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure
        "192.0.0.192",  # Oracle, formerly
        "fd00:42::42",  # Scaleway
        "fd00:c1::a9fe:a9fe",  # Oracle
        "fd00:ec2::23",  # Amazon
        "fd00:ec2::254",  # Amazon
        "fd20:ce::254",  # Google
    )
)


def refusal(text: str) -> str | None:
    """Return what forbids this numeric address, or None if it may be dialled."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return "not an IP address"
    for meant in (address, *_embedded(address)):
        if reason := _reason(meant):
            return reason
    return None


def _reason(address: IPv4Address | IPv6Address) -> str | None:
    if address.is_loopback:
        return None
    old = isinstance(address, IPv4Address)
    reasons = {
        "a cloud's metadata service": address in _METADATA,
        "link-local": address.is_link_local,
        "multicast": address.is_multicast,
        "unspecified": address.is_unspecified or (old and address in _THIS_NETWORK),
        "broadcast": address == _BROADCAST,
        "reserved": old and address.is_reserved,
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def _embedded(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that a packet to this IPv6 address may be translated to."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    compatible = address in _COMPATIBLE and number > 0xFFFF
    isatap = (number >> 32) & 0xFFFFFFFF in _ISATAP
    if compatible or isatap or address in _NAT64:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address in _LOCAL_NAT64:
        yield from _translated(number)


def _translated(number: int) -> Iterator[IPv4Address]:
    """RFC 6052: after prefixes of 96, 48, 56 and 64 bits, leaving out the bits 64 to 71. What looks
    like an address of `_THIS_NETWORK` is the padding of another form."""
    without_middle = (number >> 64) << 56 | number & ((1 << 56) - 1)
    forms = [number, *(without_middle >> (120 - prefix - 32) for prefix in (48, 56, 64))]
    meant = [IPv4Address(form & 0xFFFFFFFF) for form in forms]
    yield from [one for one in meant if one not in _THIS_NETWORK] or meant[:1]
