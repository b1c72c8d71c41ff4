"""Which passwords are taken (NIST SP 800-63B): long enough, and not one that everybody would try first."""

import re
import unicodedata
from collections.abc import Iterable

LEAST, MOST = 12, 1_000
"""Characters of a password. The upper limit stops a flood of megabytes from reaching the hash."""

EXTRA = 4
"""Letters and digits that may stand round a guessable word without making it a password: ``Waypoint2026!``."""

_WORDS = """
    password passwort salasana letmein welcome qwertyuiop qwertzuiop azertyuiop asdfghjkl iloveyou administrator changeme
    trustno1 sunshine princess football baseball superman starwars dragon monkey master shadow abc123 passw0rd p4ssword
    correcthorsebatterystaple 1q2w3e4r5t6y 1qaz2wsx3edc qazwsxedcrfv zaq12wsx q1w2e3r4t5y6 technician tracker
"""
_COMMON = frozenset(_WORDS.split())
_ROWS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")
_NO_LETTER = re.compile(r"[\W_]+")


def normal(password: str) -> str:
    """The same accented letter from every keyboard."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, own: Iterable[str] = ()) -> str | None:
    """What is wrong with a new password, as the sentence people read; None if nothing is.

    ``own``: what somebody would guess who knows the person: e-mail address, name, company. No rule asks for digits or
    signs: they make passwords that people write down.
    """
    length = len(password)
    if length < LEAST:
        missing = LEAST - length
        return f"Password is too short. Add {missing} more character{'s' if missing > 1 else ''}."
    if length > MOST:
        return f"Password is too long. {MOST} characters are the most."
    plain = _plain(password)
    if len(set(plain)) < 4 or _rest(plain, _ROWS) <= EXTRA:
        return "Password repeats itself. Choose one that nobody can guess, a short sentence for example."
    if any(_mostly(plain, word) for word in _COMMON):
        return "Many people use this password, so it is tried first. Choose another one, a short sentence for example."
    if any(_mostly(plain, word) for word in _words(own)):
        return "Password is too close to your name, your e-mail or the company. Choose one that does not contain them."
    return None


def _plain(text: str) -> str:
    return _NO_LETTER.sub("", normal(text).casefold())


def _words(own: Iterable[str]) -> set[str]:
    """The texts and their parts that are worth a guess."""
    parts = {part for text in own for part in (text, *re.split(r"[\s@.+_-]+", text), text.partition("@")[0])}
    return {plain for part in parts if len(plain := _plain(part)) >= 3}


def _mostly(plain: str, word: str) -> bool:
    """True if little is left of the password without the word, however often it stands there."""
    return word in plain and len(plain.replace(word, "")) <= EXTRA


def _rest(plain: str, rows: Iterable[str]) -> int:
    """Characters left without the longest stretch that runs along a row of keys, forwards or backwards."""
    longest = 0
    for row in rows:
        for line in (row, row[::-1]):
            for start in range(len(plain)):
                while plain[start : start + longest + 1] in line and start + longest < len(plain):
                    longest += 1
    return len(plain) - longest if longest >= 8 else len(plain)
