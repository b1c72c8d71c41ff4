"""Codes that people type: made from an id with the installation's secret, so that none has to be stored in clear."""

import hashlib
import hmac
import unicodedata
from enum import StrEnum

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet: no I, L, O or U, which are read as other letters."""
_READ_AS = str.maketrans("OIL", "011")
LONGEST = 200
"""Characters of what is typed that are looked at."""


class Purpose(StrEnum):
    """What a code opens; the same id gives another code for each."""

    INVITATION = "invitation"
    RESET = "reset"


_GROUPS = {Purpose.INVITATION: 3, Purpose.RESET: 6}
"""Groups of four letters: 60 and 120 bits. An invitation's code is read from paper, a reset's is clicked."""


def code_of(secret: bytes, purpose: Purpose, id: str) -> str:
    """The code of an id, in groups: ``K7QF-M2XD-9RTA``. Only who has the secret can make it."""
    bits = int.from_bytes(hmac.digest(secret, f"code:{purpose}:{id}".encode(), "sha256"))
    letters = "".join(_LETTERS[bits >> shift & 31] for shift in range(0, 20 * _GROUPS[purpose], 5))
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def normal(said: str) -> str:
    """What was typed without spaces, dashes and case, look-alikes read as what they stand for."""
    plain = unicodedata.normalize("NFKC", said[:LONGEST]).upper()
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum()).translate(_READ_AS)


def fingerprint(secret: bytes, purpose: Purpose, said: str) -> bytes:
    """What is stored of a code and looked for: SHA-256 keyed with the secret, so that a stolen table opens nothing."""
    return hmac.digest(secret, f"code-hash:{purpose}:{normal(said)}".encode(), hashlib.sha256)
