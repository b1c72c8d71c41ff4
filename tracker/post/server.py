"""Where letters are handed in: a mail server's address, read from one URL and refused where it is unsafe."""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Security(StrEnum):
    """How the connection is kept from being read: from its beginning, from STARTTLS on (never without), not at all."""

    TLS = "smtps"
    STARTTLS = "smtp"
    PLAIN = "smtp+plain"


PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}
FORM = "smtp://USER:PASSWORD@HOST (STARTTLS), smtps://… (TLS) or smtp+plain://HOST (a server in your own network)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A mail server. ``user`` None: it asks for no login."""

    host: str
    port: int
    security: Security
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Post:
    """All that sending needs: ``server`` None if none is set up, the address in From, the address people open."""

    server: Server | None
    sender: str
    url: str


def server_of(url: str) -> Server:
    """Read the URL; `ValueError` with a sentence that shows none of it."""
    try:
        parts = urlsplit(url)
        security, port = Security(parts.scheme), parts.port
    except ValueError as error:
        raise ValueError(f"must read like {FORM}") from error
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment or any(map(str.isspace, url)):
        raise ValueError(f"must read like {FORM}")
    if (parts.username is None) is not (parts.password is None):
        raise ValueError("needs a user and a password, or neither")
    user = unquote(parts.username) if parts.username else None
    if security is Security.PLAIN and user is not None:
        raise ValueError("must not send a password in the open: use smtp:// or smtps://")
    if security is Security.PLAIN and not near(parts.hostname):
        raise ValueError("must not send letters in the open beyond your own network: use smtp:// or smtps://")
    password = unquote(parts.password or "")
    return Server(host=parts.hostname, port=port or PORTS[security], security=security, user=user, password=password)


def near(host: str) -> bool:
    """True for this machine, a private address, and a name without a dot (a container beside this one)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host
    return address.is_loopback or address.is_private or address.is_link_local
