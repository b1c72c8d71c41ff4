"""The languages of letters: sentences from a catalog, times as the language writes them, foreign pieces kept in their place."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.dates import format_skeleton, format_time, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from tracker.domain import local_times
from tracker.domain.local_times import offset_words, zone_of

FOLDER = Path(__file__).parent / "languages"
SOURCE = "en"
"""The language that the code is written in: it needs no catalog."""

LANGUAGES = (SOURCE, *sorted(file.stem for file in FOLDER.glob("*.po")))
"""Every language that letters are written in: a catalog beside the others is enough."""

FIRST_STRONG, LEFT_TO_RIGHT, END = "\u2068", "\u2066", "\u2069"
_TURNING = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e]")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
_ISOLATES = re.compile(r"[\u2066-\u2069]")


def own_direction(text: str) -> str:
    """A text on one line that cannot turn what stands beside it: controls and marks go, isolates stay if each is closed."""
    plain = " ".join(_UNSEEN.sub(" ", _TURNING.sub("", text)).split())
    return plain if _closed(plain) else _ISOLATES.sub("", plain)


def _closed(text: str) -> bool:
    depth = 0
    for mark in _ISOLATES.findall(text):
        depth += -1 if mark == END else 1
        if depth < 0:
            return False
    return depth == 0


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language. Texts are made by `say` and `many` only, so that whatever is put into them is isolated (UAX #9)."""

    code: str
    locale: Locale = field(repr=False, compare=False)
    catalog: NullTranslations = field(repr=False, compare=False)

    @property
    def rtl(self) -> bool:
        """True if it is written from right to left."""
        return self.locale.text_direction == "rtl"

    def say(self, message: str, /, **values: object) -> str:
        """An English sentence in this language, its ``{places}`` filled."""
        return self._filled(self.catalog.gettext(message), values)

    def many(self, one: str, more: str, count: int, /, **values: object) -> str:
        """The form of a sentence that fits ``count``, which fills its ``{count}``."""
        return self._filled(self.catalog.ngettext(one, more, count), {"count": count, **values})

    def _filled(self, said: str, values: dict[str, object]) -> str:
        return said.format_map({name: self.isolated(str(value)) for name, value in values.items()}) if values else said

    def isolated(self, text: str) -> str:
        """A piece that was written elsewhere (a name, an address, a number), fit to stand in a sentence of this language."""
        plain = own_direction(text)
        strange = not _at_home(plain) if self.rtl else _leftward(plain)
        return f"{FIRST_STRONG}{plain}{END}" if strange else plain

    def inside(self, service: str) -> str:
        """A service's name within a sentence: English writes it small, other languages leave it as it is."""
        return lower(service) if self.code == SOURCE else service

    def clock(self, at: datetime, zone: str) -> str:
        """``14:05``."""
        if self.code == SOURCE:
            return local_times.clock(at, zone)
        return format_time(at.astimezone(zone_of(zone)), "HH:mm", locale=self.locale)

    def between(self, low: str, high: str) -> str:
        """A range of times, ``14:05–14:12``, which runs from left to right everywhere."""
        return f"{LEFT_TO_RIGHT}{low}–{high}{END}" if self.rtl else f"{low}–{high}"

    def day(self, at: datetime, zone: str) -> str:
        """``Tue 24 Nov``."""
        if self.code == SOURCE:
            return local_times.day(at, zone)
        return format_skeleton("MMMEd", at.astimezone(zone_of(zone)), locale=self.locale)

    def long_day(self, at: datetime, zone: str) -> str:
        """``Tuesday 24 November``."""
        if self.code == SOURCE:
            return local_times.long_day(at, zone)
        return format_skeleton("MMMMEEEEd", at.astimezone(zone_of(zone)), locale=self.locale)

    def moment(self, at: datetime, zone: str) -> str:
        """``Mon 30 Nov, 14:00``."""
        return self.say("{day}, {time}", day=self.day(at, zone), time=self.clock(at, zone))

    def zone(self, zone: str, at: datetime) -> str:
        """``Helsinki time (EET, UTC+2)``."""
        local = at.astimezone(zone_of(zone))
        city = get_timezone_location(zone, locale=self.locale, return_city=True)
        short = local.strftime("%Z")
        named = f"{short}, " if short.isalpha() and short != "UTC" else ""
        return self.say("{city} time ({offset})", city=city, offset=f"{named}{offset_words(local)}")

    def span(self, minutes: int) -> str:
        """``35 min``, ``2 h``, ``1 h 35 min``."""
        if minutes < 90:
            return self.many("{count} min", "{count} min", minutes)
        whole, rest = divmod(minutes, 60)
        hours = self.many("{count} h", "{count} h", whole)
        if not rest:
            return hours
        return self.say("{hours} {minutes}", hours=hours, minutes=self.many("{count} min", "{count} min", rest))


def _at_home(text: str) -> bool:
    """True for words from right to left and plain numbers and times, which a line of that direction sets right by itself."""
    return all(one in " :،" or unicodedata.bidirectional(one) in ("R", "AL", "NSM", "EN") for one in text)


def _leftward(text: str) -> bool:
    return any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in text)


def lower(service: str) -> str:
    """A service's name inside an English sentence: ``heat pump inspection``; a short form stays (``LED lamps``)."""
    return service[:1].lower() + service[1:] if service[1:2].islower() else service


@cache
def tongue(code: str | None) -> Tongue:
    """The language of a code; English for one that has no catalog (any more)."""
    if code not in LANGUAGES or code == SOURCE:
        return Tongue(SOURCE, Locale.parse(SOURCE), NullTranslations())
    compiled = BytesIO()
    with (FOLDER / f"{code}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return Tongue(code, Locale.parse(code), GNUTranslations(compiled))


ENGLISH = tongue(SOURCE)


def names() -> list[tuple[str, str]]:
    """Every language as (code, its own name for itself)."""
    return [(code, tongue(code).locale.get_display_name() or code) for code in LANGUAGES]
