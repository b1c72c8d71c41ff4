"""Texts that people type: without characters that nobody sees, so that what is kept is what is read."""

import re
import unicodedata

_UNSEEN = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]+"
)
"""Controls, marks that turn the reading direction (a name could turn the sentence round it), halves of characters."""


def one_line(said: str) -> str:
    """A text without line breaks, controls and turning marks: fit for a header or a name; empty if nothing of it can be seen."""
    return _if_seen(" ".join(_UNSEEN.sub(" ", said).split()))


def several_lines(said: str) -> str:
    """The same for a text with line breaks, which stay."""
    return _if_seen("\n".join(_UNSEEN.sub(" ", line).rstrip() for line in said.splitlines()).strip())


def _if_seen(text: str) -> str:
    return text if any(unicodedata.category(letter)[0] not in "CMZ" for letter in text) else ""
