"""Addresses: where people reach the service, and which of them belong to this machine or its own network alone."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """Where people reach the service; decides cookies, allowed origins and whether plain http is accepted at all."""

    scheme: str
    host: str
    port: int
    demo: bool = False

    @classmethod
    def of(cls, said: str, *, demo: bool) -> "PublicAddress | None":
        """The address of a URL; None if it is more or less than scheme, host and port."""
        try:
            parts = urlsplit(said)
            port = parts.port
        except ValueError:
            return None
        bare = parts.path in {"", "/"} and not parts.query and not parts.fragment and parts.username is None
        host = parts.hostname or ""
        if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or not bare or "?" in said or "#" in said:
            return None
        return cls(parts.scheme, host, port if port is not None else _PORTS[parts.scheme], demo)

    @property
    def secure(self) -> bool:
        """True for https: cookies are ``__Host-`` and Secure."""
        return self.scheme == "https"

    @property
    def url(self) -> str:
        """Without a slash at the end; the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def loopback(self) -> bool:
        """True if only this machine can reach it."""
        return is_loopback(self.host)

    @property
    def origins(self) -> frozenset[str]:
        """What a browser may say in Origin. On loopback the other names of this machine are the same place."""
        if self.secure or not self.loopback:
            return frozenset({self.url})
        names = {self.host, "localhost", "127.0.0.1", "::1"}
        return frozenset(PublicAddress(self.scheme, name, self.port).url for name in names)


_PORTS = {"http": 80, "https": 443}

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name or an address in lower case. It is written into headers: nothing that could end a directive may be in it."""


def is_loopback(host: str) -> bool:
    """True for localhost and for addresses of the loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


_OF_A_HOUSE = (".local", ".lan", ".home.arpa", ".internal", ".test", ".localhost")


def is_of_the_world(host: str) -> bool:
    """True unless the host is plainly this machine's or its network's: a private address, a bare name, a name as in a house."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_OF_A_HOUSE)
