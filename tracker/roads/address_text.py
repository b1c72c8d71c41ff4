"""Addresses as people type them: folding letters, and telling the street from the house number and the town."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"})
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"(\d{1,5})\s*(?:[-/]\s*\d+)?\s*([a-z])?$")


def fold(text: str) -> str:
    """Lower case without accents: what is compared. ``ß`` is ``ss``, ``Ø`` is ``o``."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(char for char in plain if not unicodedata.combining(char))


def words_of(text: str) -> list[str]:
    """The folded words of a text."""
    return _WORD.findall(fold(text.replace("'", " ").replace("’", " ")))


def number_of(text: str) -> tuple[int, str] | None:
    """A house number as (24, "b"); of a range the first; None if it is none."""
    match = _NUMBER.match(fold(text).strip())
    return (int(match[1]), match[2] or "") if match else None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand what was typed: the words of the street, a house number, what stands after it (town, postcode)."""

    street: tuple[str, ...]
    number: tuple[int, str] | None = None
    rest: tuple[str, ...] = ()


def readings(text: str) -> Iterator[Reading]:
    """The ways to understand a text, the likeliest first: with a house number where there is one, then all as a name."""
    words = words_of(text)
    for at, word in enumerate(words):
        number = number_of(word)
        if number and (before := tuple(words[:at])):
            yield Reading(before, _with_letter(number, words[at + 1 : at + 2]), _towns(words[at + 1 :]))
            break
        if number and len(words) > 1 and at == 0:  # "24 Main Street"
            yield Reading(tuple(words[1:]), number)
            break
    if words:
        yield Reading(tuple(words))


def _with_letter(number: tuple[int, str], after: list[str]) -> tuple[int, str]:
    """``24 b``: the letter belongs to the number (as a staircase or flat it does no harm)."""
    letter = after[0] if after and len(after[0]) == 1 and after[0].isalpha() else ""
    return (number[0], number[1] or letter)


def _towns(words: list[str]) -> tuple[str, ...]:
    return tuple(word for word in words if len(word) > 2)
