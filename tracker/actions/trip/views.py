"""What viewers may know of a visit at one moment, in its public form: one builder for socket, polling address and page."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from tracker.domain.appointments import State
from tracker.domain.visibility import Watcher, coarse_eta, may_watch, told_end
from tracker.records.appointments import Appointment
from tracker.records.delays import Delay
from tracker.records.technicians import Technician

_write = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class LiveView:
    """A visit at one moment, as its viewers may know it.

    ``position``, ``eta`` and ``route`` (polyline6, beginning at the position) are public JSON values, None where there is
    nothing to show. ``leg`` is the one whose positions may be shown now. ``epoch`` is empty while Redis is away.
    """

    appointment: Appointment
    technician_card: dict[str, Any] | None
    epoch: str = ""
    offset: int = 0
    leg: str | None = None
    position: dict[str, Any] | None = None
    eta: dict[str, Any] | None = None
    route: str | None = None
    arriving: bool = False
    tracked: bool = True  # False: the company shows its customers no live map
    expected: Delay | None = None  # later than promised, as its customer was told before anybody set off

    @property
    def technician(self) -> str | None:
        return self.appointment.technician_id

    @property
    def state(self) -> str:
        return self.appointment.state.value

    @property
    def shows(self) -> bool:
        return self.position is not None

    @property
    def reason(self) -> str | None:
        """Why nothing newer may come: ``tracking_off``, ``paused``, ``battery``; None: not known. Never anybody's own words."""
        if not self.tracked:
            return "tracking_off"
        if (self.technician_card or {}).get("sharing") is False:
            return "paused"
        return (self.position or {}).get("reason")

    def allows(self, who: Watcher) -> bool:
        """True if this person may watch the visit as it is now."""
        return may_watch(who, self.appointment)

    def public(self) -> dict[str, Any]:
        """Everything of a snapshot that does not change from one viewer or moment to the next."""
        visit = self.appointment
        return {
            "epoch": self.epoch,
            "offset": self.offset,
            "state": visit.state,
            "appointment": _told(visit),
            "technician": self.technician_card,
            "position": self.position,
            "eta": self.eta,
            "route": self.route,
            "reason": self.reason,
            "arriving": self.arriving,
            "expected": _later(self.expected),
        }

    def snapshot(self, now: datetime, offset: int, *, recovered: bool) -> bytes:
        """The JSON text of a snapshot frame."""
        head = {"type": "snapshot", "now": stamp(now), "recovered": recovered}
        return _write(head | self.public() | {"offset": offset})


def _told(visit: Appointment) -> dict[str, Any]:
    """What of the appointment is known to everybody who may watch it."""
    known = {name: getattr(visit, name) for name in _PUBLIC if getattr(visit, name) is not None}
    return known | {"ends_at": told_end(visit)}


_PUBLIC = (
    *("id", "booking_id", "service", "address", "lat", "lon", "zone", "duration_min", "arrival_at", "ends_at"),
    *("traveling_at", "started_at", "completed_at", "canceled_at"),
)


def _later(delay: Delay | None) -> dict[str, Any] | None:
    return {"low": stamp(delay.low), "high": stamp(delay.high), "as_of": stamp(delay.told_at)} if delay else None


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def without_place(view: LiveView) -> LiveView:
    """The view when a closing may lie between its reading and now: the visit alone, nothing of the technician's place."""
    return replace(view, leg=None, position=None, eta=None, route=None, arriving=False)


def technician_card(found: Technician, state: State, *, phone: bool) -> dict[str, Any]:
    """What viewers may know of a technician; what is not known is absent."""
    card = {"name": found.name.split()[0] if found.name.split() else found.name}
    for name in ("title", "photo", "vehicle", "plate", *(("phone",) if phone and state is State.TRAVELING else ())):
        if getattr(found, name):
            card[name] = getattr(found, name)
    return card | ({"sharing": found.sharing} if state is State.TRAVELING else {})


def promised_eta(visit: Appointment) -> dict[str, Any]:
    """What is told while nothing of the way may be: fixed by the departure, so that looking again tells nothing more."""
    eta = coarse_eta(visit.arrival_at, visit.traveling_at or visit.arrival_at)
    return {"at": stamp(eta.at), "low": stamp(eta.low), "high": stamp(eta.high), "basis": eta.basis}
