"""Where an appointment stands on its customer's home page: active, upcoming or past (A1, A2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tracker.domain.appointments import State


class Listed(Protocol):
    """What the rules look at."""

    @property
    def id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def arrival_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Agenda[A: Listed]:
    """``active`` is the one that is shown large; ``upcoming`` by arrival, ``past`` the latest first."""

    active: A | None
    upcoming: tuple[A, ...]
    past: tuple[A, ...]


def agenda[A: Listed](visits: Iterable[A], expected: Mapping[str, datetime]) -> Agenda[A]:
    """Divide a customer's appointments. ``expected``: appointment id → its current ETA, as far as there is one.

    Of several that travel exactly one is active: earliest current ETA, then earliest arrival, then id. The others stay upcoming.
    """
    by_arrival = sorted(visits, key=lambda visit: (visit.arrival_at, visit.id))
    traveling = [visit for visit in by_arrival if visit.state is State.TRAVELING]
    active = min(
        traveling, key=lambda visit: (expected.get(visit.id, visit.arrival_at), visit.arrival_at, visit.id), default=None
    )
    over = frozenset({State.COMPLETED, State.CANCELED})
    return Agenda(
        active,
        tuple(visit for visit in by_arrival if visit.state not in over and visit is not active),
        tuple(visit for visit in reversed(by_arrival) if visit.state in over),
    )
