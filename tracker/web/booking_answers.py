"""What booking's JSON doors take and give, as types."""

from datetime import date, datetime
from typing import Annotated

import msgspec

from tracker.actions.booking.booking import Choices, Times
from tracker.records.holds import Hold
from tracker.web.answers import Place
from tracker.web.bodies import Moment

type Id = Annotated[str, msgspec.Meta(max_length=64)]


class ChoicesQuery(msgspec.Struct):
    """For which account, and where this asset stands."""

    account: Id | None = None
    asset: Id | None = None


class TimesQuery(msgspec.Struct):
    """What is to be done, and on which local days. ``moving``: an appointment whose own time counts as free."""

    service_type: Id
    account: Id | None = None
    asset: Id | None = None
    first: date | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 7
    moving: Id | None = None


class BookBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be done, and when the technician is to arrive. ``contact``: on whose behalf staff book;
    ``keep_informed``: staff's word on letters about it (as the setting `letters_for` presets it)."""

    service_type: Id
    arrival_at: Moment
    account: Id | None = None
    asset: Id | None = None
    details: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    contact: Id | None = None
    keep_informed: bool | None = None


class InformedBody(msgspec.Struct, forbid_unknown_fields=True):
    """Whether letters about the appointment are sent."""

    on: bool


class ArrivalBody(msgspec.Struct, forbid_unknown_fields=True):
    """Another arrival."""

    arrival_at: Moment


class CancelBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why; ``on_the_way``: it is known that the technician has set off."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    on_the_way: bool = False


class AssetAnswer(msgspec.Struct):
    """A thing to be serviced. ``location`` names where it stands, if that is a place of its own."""

    id: str
    name: str
    model: str | None
    location: str | None


class ServiceAnswer(msgspec.Struct):
    """A service that can be booked."""

    id: str
    name: str
    duration_min: int
    description: str | None


class WhereAnswer(msgspec.Struct):
    """Where the work would be. ``origin``: whose address it is, ``asset`` or ``account``."""

    address: str
    place: Place
    zone: str
    origin: str


class AccountAnswer(msgspec.Struct):
    """Whose appointments they will be."""

    id: str
    name: str


class ChoicesAnswer(msgspec.Struct):
    """What can be chosen. ``where`` is null while there is no complete address: then nothing can be booked."""

    account: AccountAnswer
    assets: list[AssetAnswer]
    services: list[ServiceAnswer]
    where: WhereAnswer | None
    details_wanted: bool
    assets_wanted: bool


class OfferAnswer(msgspec.Struct):
    """An arrival. ``source`` of its travel: ``road``, or ``distance`` while no router answers."""

    arrival_at: datetime
    source: str


class DayAnswer(msgspec.Struct):
    """A local day of the address."""

    day: date
    offers: list[OfferAnswer]


class TimesAnswer(msgspec.Struct):
    """The arrivals on some days. ``next_free``: the first later day with one, if these have none."""

    zone: str
    first: date
    days: list[DayAnswer]
    next_free: date | None
    source: str


class HoldAnswer(msgspec.Struct):
    """A held arrival; ``extended``: it cannot be extended again."""

    arrival_at: datetime
    ends_at: datetime
    expires_at: datetime
    extended: bool


def public_choices(found: Choices) -> ChoicesAnswer:
    """What can be chosen, without what only staff know."""
    place = found.place
    return ChoicesAnswer(
        account=AccountAnswer(found.account.id, found.account.name),
        assets=[AssetAnswer(one.id, one.name, one.model, one.location) for one in found.assets],
        services=[ServiceAnswer(one.id, one.name, one.duration_min, one.description) for one in found.services],
        where=WhereAnswer(place.address, Place(*place.point), place.zone, place.origin) if place else None,
        details_wanted=found.details_wanted,
        assets_wanted=found.assets_wanted,
    )


def public_times(found: Times) -> TimesAnswer:
    """The times as they are offered."""
    days = [DayAnswer(day.day, [OfferAnswer(each.arrival_at, each.source) for each in day.offers]) for day in found.days]
    return TimesAnswer(found.zone, found.first, days, found.next_free, found.source)


def public_hold(held: Hold) -> HoldAnswer:
    """A hold, without whom it holds."""
    return HoldAnswer(held.arrival_at, held.ends_at, held.expires_at, held.extended)
