"""What every letter is made of: subject, one big thing, one button, facts, why it came."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from tracker.domain.tongues import ENGLISH, Tongue


@dataclass(frozen=True, slots=True)
class Link:
    """What a button does, and where it leads. A secret stands in the fragment only, which no server is sent."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of the list: its name, what is so, a few words more. ``code``: read letter by letter."""

    name: str
    value: str
    more: str = ""
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A letter in words. ``state`` is the pill's colour; ``code``: ``big`` is typed off; ``note``: bold words, and others."""

    subject: str
    preview: str
    pill: str
    state: str = "scheduled"
    lead: str
    big: str = ""
    code: bool = False
    sub: str
    button: Link | None = None
    other: Link | None = None
    facts: tuple[Fact, ...] = ()
    note: tuple[str, str] | None = None
    why: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the company, the address people open, the service desk's number (empty: none); and in which language.

    ``live_map`` False: its customers are shown none (the setting `technician_tracking`), so no letter promises one.
    """

    company: str
    url: str
    phone: str = ""
    tongue: Tongue = ENGLISH
    live_map: bool = True

    @property
    def desk(self) -> str:
        """``the service desk``, with its number if there is one."""
        say = self.tongue.say
        return say("the service desk ({phone})", phone=self.phone) if self.phone else say("the service desk")


LEAST_SECRET = 12
"""Characters of a fragment that opens something; shorter ones are places on a page."""
_IN_TEXT = re.compile(rf"://[^\s#]+#([\w-]{{{LEAST_SECRET},}})")
VEIL = "••••"


def veiled(words: Words) -> Words:
    """The words without what opens something: every code and token, wherever it stands beside its link.

    The log shows these: who reads it must not be able to sign in as somebody else.
    """
    opening = sorted(set(_fragments(words)), key=len, reverse=True)  # one that begins like another goes first
    secrets = [one for one in opening if len(one) >= LEAST_SECRET]

    def hidden(said: Any) -> Any:
        if isinstance(said, str):
            for secret in secrets:
                said = said.replace(secret, VEIL)
            return said
        if isinstance(said, tuple):
            return tuple(hidden(one) for one in said)
        if isinstance(said, Link | Fact):
            return replace(said, **{field.name: hidden(getattr(said, field.name)) for field in fields(said)})
        return said

    return replace(words, **{field.name: hidden(getattr(words, field.name)) for field in fields(words)})


def _fragments(said: Any) -> Iterator[str]:
    """What stands behind a ``#`` in every link: those of buttons whole, and those that are written out anywhere."""
    if isinstance(said, str):
        yield from _IN_TEXT.findall(said)
    elif isinstance(said, tuple):
        for one in said:
            yield from _fragments(one)
    elif isinstance(said, Words | Link | Fact):
        if isinstance(said, Link):
            yield said.url.partition("#")[2]
        for field in fields(said):
            yield from _fragments(getattr(said, field.name))
