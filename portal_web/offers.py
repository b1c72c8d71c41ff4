"""Which buttons stand beside a visit on its customer's pages, and the words under those that are greyed (A2–A7)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from tracker.domain import changing
from tracker.domain.appointments import State
from tracker.domain.changing import Rules


class Booked(Protocol):
    """What is looked at of an appointment."""

    @property
    def account_id(self) -> str: ...
    @property
    def asset_id(self) -> str | None: ...
    @property
    def service_type_id(self) -> str: ...
    @property
    def state(self) -> State: ...
    @property
    def arrival_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Offers:
    """``modify`` and ``cancel`` are shown or not; the words of ``…_why`` make them grey. ``again``: where the same is booked."""

    live: bool = False
    modify: bool = False
    modify_why: str | None = None
    cancel: bool = False
    cancel_why: str | None = None
    again: str | None = None

    @property
    def whys(self) -> tuple[str, ...]:
        """The reasons to print, each once."""
        return tuple(dict.fromkeys(why for why in (self.modify_why, self.cancel_why) if why))


def offers_of(appointment: Booked, rules: Rules, now: datetime) -> Offers:
    """For the customer whose appointment it is."""
    state, arrival_at = appointment.state, appointment.arrival_at
    modify_why = changing.modify_refusal(state, arrival_at, rules, now)
    cancel_why = changing.cancel_refusal(state, arrival_at, rules, now)
    match state:
        case State.SCHEDULED:
            return Offers(modify=True, modify_why=modify_why, cancel=True, cancel_why=cancel_why)
        case State.TRAVELING:
            return Offers(live=True, cancel=cancel_why is None)
        case State.IN_PROGRESS:
            return Offers(modify=True, modify_why=modify_why)
    return Offers(again=again(appointment))


def again(appointment: Booked) -> str:
    """The book page with the same account, equipment and service chosen: ids only."""
    wanted = {"account": appointment.account_id, "asset": appointment.asset_id, "service": appointment.service_type_id}
    return "/book?" + urlencode({name: id_ for name, id_ in wanted.items() if id_})
