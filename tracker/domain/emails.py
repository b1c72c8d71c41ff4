"""E-mail addresses: one way to write each, so that it is the same one however it is typed (O3)."""

import contextlib
import unicodedata

import idna

LONGEST = 254
"""Characters of an address (RFC 5321)."""


def one_way(said: str) -> str:
    """How an address is written here: lower case, composed letters, its host as people read it (never ``xn--``).

    What is no address comes back in lower case, and belongs to nobody.
    """
    plain = unicodedata.normalize("NFC", said[: 4 * LONGEST].replace("\x00", "").strip().lower())
    local, at, host = plain.rpartition("@")
    with contextlib.suppress(ValueError):
        host = idna.decode(ascii_host(host)) if at else host
    return f"{local}{at}{host}"[:LONGEST]


def ascii_host(host: str) -> str:
    """A host as it goes on the wire (IDNA 2008: ``straße.example`` is not ``strasse.example``); ValueError if it is none."""
    return idna.encode(host, uts46=True).decode()


def seen(text: str) -> bool:
    """True if every character of an address can be seen: two that look alike are not told apart by what nobody sees."""
    return not any(unicodedata.category(letter).startswith(("C", "Z")) for letter in text)
