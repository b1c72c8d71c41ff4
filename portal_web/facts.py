"""What the pages show, as plain values: a visit, its technician, the company. Made from records in `portal_web/sources.py`."""

from dataclasses import dataclass
from datetime import datetime

from tracker.domain.appointments import State
from tracker.domain.geo import Point


@dataclass(frozen=True, slots=True)
class Desk:
    """The service desk that people can call; absent where there is no number."""

    phone: str
    hours: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What stands on every page: the company's name, its service desk, and whether its customers are shown a live map."""

    company: str
    desk: Desk | None = None
    live_map: bool = True


@dataclass(frozen=True, slots=True)
class Technician:
    """Who comes. ``photo`` is a path of ours; what a setting switches off is None."""

    name: str
    title: str | None = None
    photo: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    phone: str | None = None

    @property
    def first_name(self) -> str:
        return first_name(self.name)

    @property
    def initials(self) -> str:
        return initials(self.name)


@dataclass(frozen=True, slots=True)
class Late:
    """Later than booked, as its customer was told before anybody set off: a range, and when that was said."""

    low: datetime
    high: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a visit is for, as staff read it: the account, who reported it if named otherwise, a number, and their note."""

    account: str
    contact: str | None = None
    phone: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One appointment as its customer may read it; ``for_staff``: the words are meant for the company's own people."""

    id: str
    booking_id: str
    state: State
    service: str
    duration_min: int
    address: str
    place: Point
    zone: str
    arrival_at: datetime
    ends_at: datetime
    created_at: datetime
    technician: Technician | None = None
    traveling_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    canceled_at: datetime | None = None
    canceled_by: str | None = None
    cancel_reason: str | None = None
    for_staff: bool = False
    late: Late | None = None
    why: str | None = None  # this technician, for staff
    whom: Whom | None = None  # for staff
    tracked: bool = True  # False: the company shows its customers no live map

    @property
    def name(self) -> str:
        """How the page calls the technician: the first name, or by the trade where nobody is assigned."""
        return self.technician.first_name if self.technician else "Your technician"


def first_name(name: str) -> str:
    """``Aino`` of ``Aino Esimerkki``."""
    return name.split()[0] if name.split() else name


def initials(name: str) -> str:
    """``AE`` of ``Aino Esimerkki``: the first letters of the first and the last word."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
