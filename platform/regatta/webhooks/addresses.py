"""Which addresses a message may go to: none inside our own network, whatever a name resolves to."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from tournament.errors import BadInput, Fault

PORTS = {"https": 443, "http": 80}
MAX_URL = 500
OWN_NAMES = ("localhost", ".localhost", ".local", ".internal", ".localdomain")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook's address in its parts."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def parsed(url: str) -> Target:
    """The parts of an address. Raises BadInput for one that no message may go to, as far as its text tells."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        host.encode("idna")
    except ValueError:  # UnicodeError among them
        raise _bad("it cannot be read") from None
    if len(url) > MAX_URL or not url.isascii() or any(letter <= " " for letter in url):
        raise _bad(f"it has {len(url)} letters, or others than plain ones")
    if parts.scheme not in PORTS or not host or parts.username is not None or parts.fragment:
        raise _bad("it is no plain address: a scheme, a host, a path")
    if parts.scheme != "https" and not settings.REGATTA_WEBHOOKS_PRIVATE:
        raise _bad("it is not encrypted")
    if not settings.REGATTA_WEBHOOKS_PRIVATE and (host.endswith(OWN_NAMES) or _literal_inside(host)):
        raise _bad("it lies inside a private network")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path)


def resolved(target: Target) -> str:
    """One numeric address of the host, to which the message then goes, whatever the name says a moment later.

    Raises BadInput when any of them lies inside a private network, OSError when there is none.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not settings.REGATTA_WEBHOOKS_PRIVATE and not all(map(is_outside, numbers)):
        raise _bad("its name leads into a private network")
    return numbers[0]


def is_outside(number: str) -> bool:
    """Whether a numeric address is a public one; so must be those that it wraps."""
    address = ipaddress.ip_address(number.split("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if address in NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_outside(str(wrapped))
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal_inside(host: str) -> bool:
    """Whether the host is a number of a private network, in any form that a resolver would take for one."""
    try:
        number = str(ipaddress.ip_address(host))
    except ValueError:
        try:
            number = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0x7f000001, 2130706433
        except OSError:
            return False
    return not is_outside(number)


def _bad(found: str) -> BadInput:
    return BadInput(Fault("webhook_address", f"no message may go to this address: {found}", "give a public https one"))
