"""The book page as values to print: what can be chosen, what was chosen, and the words that go with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal_web.book_form import Answers
from portal_web.chosen_view import Chosen, chosen_of, held_words, minutes_left, near_of
from portal_web.times import clock, span_words, zone_of
from portal_web.when_view import Asked, Strip, strip_of, zone_shown
from tracker.actions.booking.booking import Choices, Place, Times
from tracker.domain import changing
from tracker.records.catalog import Asset, ServiceType
from tracker.records.holds import Hold
from tracker.records.settings import Settings

NO_ADDRESS = "We can’t find this address on the map, so we can’t offer times. Choose other equipment, or call the service desk."
_ICONS = (
    ("heatpump", ("pump",)),
    ("fan", ("vent", "air", "fan")),
    ("flame", ("boiler", "gas", "heater", "furnace", "stove")),
)
_NUMBERS = ("no", "one", "two", "three", "four", "five")


@dataclass(frozen=True, slots=True)
class AssetCard:
    """One piece of equipment to choose."""

    id: str
    name: str
    where: str | None
    icon: str


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """One service to choose."""

    id: str
    name: str
    duration: str
    description: str | None


@dataclass(frozen=True, slots=True)
class Where:
    """The address of the visit and why it is that one (B3)."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """A time kept for the reader."""

    left_s: int
    left_min: int
    words: str
    extendable: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """The time was just taken: what can be had instead."""

    title: str
    nearest: tuple[Chosen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All that was found out for one look at the page."""

    answers: Answers
    choices: Choices
    times: Times | None
    hold: Hold | None
    taken: datetime | None = None
    why: str = ""  # the code of the refusal
    nearest: Sequence[datetime] = ()
    notice: str | None = None


def book_context(found: Found, settings: Settings, own_zone: str | None, now: datetime) -> dict[str, Any]:
    """What `booking/book.html` prints."""
    answers, choices = found.answers, found.choices
    asset = next((one for one in choices.assets if one.id == answers.asset), None)
    service = next((one for one in choices.services if one.id == answers.service), None)
    zone = found.times.zone if found.times else choices.place.zone if choices.place else "UTC"
    strip = _strip(found, settings, now)
    numbers = _numbers(assets=choices.assets_wanted, details=choices.details_wanted)
    return {
        "asked": answers,
        "address": answers.address,
        "numbers": numbers,
        "steps_words": _NUMBERS[len(numbers)],
        "assets": [_asset(one) for one in choices.assets] if choices.assets_wanted else [],
        "services": [_service(one) for one in choices.services],
        "service": _service(service) if service else None,
        "asset_words": ", ".join(part for part in (asset.name, asset.location) if part) if asset else None,
        "place": where(choices.place, asset) if choices.place else None,
        "no_place": NO_ADDRESS,
        "details_wanted": choices.details_wanted,
        "strip": strip,
        "zone_words": zone_shown(strip, zone, now),
        "chosen": chosen_of(answers.at, zone, own_zone) if answers.at and found.times else None,
        "held": _held(found.hold, now),
        "conflict": _conflict(found, zone),
        "notice": found.notice,
        "until_words": changing.until_words(settings),
    }


def where(place: Place, asset: Asset | None) -> Where:
    """The address, and whose it is."""
    if place.origin == "asset" and asset:
        return Where(place.address, f"This is where the {_in_a_sentence(asset.name)} is.")
    return Where(place.address, "This is the address of your account.")


def taken_words(taken: datetime, zone: str, why: str) -> str:
    """``14:00 was just taken``; ``why`` is the code of the refusal."""
    return f"{clock(taken, zone)} {_LOST.get(why, 'was just taken')}"


_LOST = {"time_over": "is over", "too_soon": "is too soon by now", "too_far_ahead": "is too far ahead as yet"}


def _strip(found: Found, settings: Settings, now: datetime) -> Strip | None:
    if found.times is None:
        return None
    asked = Asked(found.answers.day, found.answers.at, found.taken)
    return strip_of(found.times, asked, now.astimezone(zone_of(found.times.zone)).date(), settings.horizon_days)


def _held(hold: Hold | None, now: datetime) -> Held | None:
    if hold is None:
        return None
    left_s, left_min = int((hold.expires_at - now).total_seconds()), minutes_left(hold.expires_at, now)
    return Held(left_s, left_min, held_words(hold.expires_at, now), not hold.extended)


def _conflict(found: Found, zone: str) -> Conflict | None:
    if found.taken is None:
        return None
    return Conflict(taken_words(found.taken, zone, found.why), near_of(found.nearest, zone))


def _numbers(*, assets: bool, details: bool) -> dict[str, int]:
    """The numbers of the page's sections."""
    sections = [("asset", assets), ("service", True), ("when", True), ("details", details)]
    return {name: number for number, name in enumerate((name for name, there in sections if there), 1)}


def _asset(one: Asset) -> AssetCard:
    words = one.name.lower()
    icon = next((icon for icon, marks in _ICONS if any(mark in words for mark in marks)), "wrench")
    return AssetCard(one.id, one.name, one.location or one.model, icon)


def _service(one: ServiceType) -> ServiceCard:
    return ServiceCard(one.id, one.name, span_words(one.duration_min), one.description)


def _in_a_sentence(name: str) -> str:
    """``heat pump`` of ``Heat pump``; ``LG Therma`` stays as it is."""
    return name[0].lower() + name[1:] if name[:2].istitle() and name[1:].islower() else name
