"""What the book page's form and address say so far: ids, days, times, and the text that stands in the form only."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from portal_web.chosen_view import local_day, moment
from portal_web.times import machine

MOST_DETAILS = 1000
"""Characters of the details' field."""
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The choices so far. ``key`` makes a form that is sent twice book once."""

    account: str
    asset: str | None = None
    service: str | None = None
    first: date | None = None
    day: date | None = None
    at: datetime | None = None
    details: str = ""
    key: str = ""

    @property
    def address(self) -> str:
        """Where a page with these choices stands: ids, days and times, never the text."""
        said = {
            "account": self.account,
            "asset": self.asset,
            "service": self.service,
            "first": self.first,
            "day": self.day,
            "at": machine(self.at) if self.at else None,
        }
        return "/book?" + urlencode({name: str(value) for name, value in said.items() if value})


def answers_of(said: Mapping[str, object], account: str | None) -> Answers:
    """From the address or the form; what no page of ours sends is not chosen. ``account``: the one in the header."""
    texts = {name: value for name, value in said.items() if isinstance(value, str)}
    return Answers(
        account=_id(texts.get("account")) or account or "",
        asset=_id(texts.get("asset")),
        service=_id(texts.get("service")),
        first=local_day(texts.get("first")),
        day=local_day(texts.get("day")),
        at=moment(texts.get("at")),
        details=texts.get("details", "").replace("\r\n", "\n")[:MOST_DETAILS],
        key=_id(texts.get("key")) or new_key(),
    )


def pressed(answers: Answers, said: Mapping[str, object]) -> Answers:
    """The choices after the button that was pressed: another week, a day (of any week), a time."""
    to_first = local_day(_text(said.get("to_first")))
    to_day = local_day(_text(said.get("to_day")))
    to_at = moment(_text(said.get("to_at")))
    if to_first:
        return replace(answers, first=to_first, day=None)
    if to_day:
        here = answers.first and answers.first <= to_day < answers.first + timedelta(days=7)
        return replace(answers, first=answers.first if here else to_day, day=to_day)
    return replace(answers, at=to_at, day=None) if to_at else answers


def new_key() -> str:
    """A key for one form."""
    return secrets.token_urlsafe(18)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _id(said: str | None) -> str | None:
    return said if said and _ID.fullmatch(said) else None
