"""Links: a letter's, or one a customer made for the family; who has one sees one appointment without signing in (M8)."""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from tracker.domain.appointments import State

LASTS = timedelta(days=30)
"""How long the page stays after the visit was completed or canceled. Positions are shown while it is traveling only (P1)."""
PATH = "/v"
"""The page that takes the token out of the fragment."""
LONGEST = 200
"""Characters of what is said to be a token that are looked at."""


class Kind(StrEnum):
    """Whom a link was made for: the contact who gets the letters, or whoever the customer passed it on to (view only)."""

    LETTER = "letter"
    FAMILY = "family"


def token_of(secret: bytes, link: str) -> str:
    """The 256 bits a link opens with, made from its row's id: a letter that is written twice carries the same link."""
    return base64.urlsafe_b64encode(hmac.digest(secret, f"link:{link}".encode(), "sha256")).rstrip(b"=").decode()


def fingerprint(secret: bytes, token: str) -> bytes:
    """What is stored of a token and looked for: keyed with the secret, so that a stolen table opens nothing."""
    return hmac.digest(secret, b"link-hash:" + token[:LONGEST].encode("utf-8", "replace"), "sha256")


def letter_link(secret: bytes, appointment: str, contact: str, ended: int) -> str:
    """The id of the link in the letters of a contact; ``ended`` were ended before it. Known before its row is written."""
    said = f"letter-link:{appointment}:{contact}:{ended}"
    return hmac.digest(secret, said.encode(), hashlib.sha256).hex()[:16]


def address(url: str, token: str) -> str:
    """``https://example.org/v#…``: the token stands in the fragment, which no server is sent."""
    return f"{url}{PATH}#{token}"


class Visit(Protocol):
    """What is looked at of the appointment."""

    @property
    def state(self) -> State: ...
    @property
    def ends_at(self) -> datetime: ...
    @property
    def completed_at(self) -> datetime | None: ...
    @property
    def canceled_at(self) -> datetime | None: ...


class Link(Protocol):
    """What is looked at of a link."""

    @property
    def until(self) -> datetime | None: ...
    @property
    def blocked_at(self) -> datetime | None: ...
    @property
    def ended_at(self) -> datetime | None: ...


def lasts_until(visit: Visit, extended: datetime | None = None) -> datetime:
    """When the page of a link closes: 30 days after the visit's end, or as long as staff said, whichever is later.

    A visit that nobody completes or cancels counts as over at its promised end, which a move takes along.
    """
    over = {State.COMPLETED: visit.completed_at, State.CANCELED: visit.canceled_at}.get(visit.state) or visit.ends_at
    return max(over + LASTS, extended or over)


def page_open(visit: Visit, now: datetime, extended: datetime | None = None) -> bool:
    """True while links may show this visit: as long as it is under way, and until `lasts_until`."""
    return visit.state in (State.TRAVELING, State.IN_PROGRESS) or now < lasts_until(visit, extended)


def opens(link: Link, visit: Visit, now: datetime) -> bool:
    """True while a link shows its appointment."""
    return link.ended_at is None and link.blocked_at is None and page_open(visit, now, link.until)
