"""One letter of every kind, for whoever wants to look at all of them: hostile or ordinary names, in any language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tracker.domain import letters_of_people as people
from tracker.domain import letters_of_visits as visits
from tracker.domain import letters_on_the_day as on_the_day
from tracker.domain.appointments import State
from tracker.domain.letter_kinds import Kind
from tracker.domain.letters import Sender, Words
from tracker.domain.letters_of_visits import Visit
from tracker.domain.letters_on_the_day import Expected
from tracker.domain.tongues import tongue

ZONE = "Europe/Helsinki"
AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CODE = "7K3F-29QX-M4TD"


@dataclass(frozen=True)
class Names:
    """Everything in a letter that was written by somebody else."""

    company: str = "Waypoint"
    technician: str = "Aino Esimerkki"
    vehicle: str = "blue van, ABC-123"
    service: str = "Heat pump inspection"
    address: str = "Esimerkkikatu 1 A 5, Helsinki"
    contact: str = "Kaisa Kokeilu"
    account: str = "Kokeilu Oy"
    reason: str = "Nobody was at home."
    phone: str = "+358 9 123 4567"


def sender(language: str, names: Names) -> Sender:
    return Sender(names.company, "https://portal.example.org", names.phone, tongue(language))


def visit(names: Names) -> Visit:
    return Visit(
        id="00112233aabbccdd",
        booking_id="WP-7K3F-21",
        service=names.service,
        duration_min=125,
        address=names.address,
        zone=ZONE,
        arrival_at=AT,
        in_portal=True,
        technician=names.technician,
        vehicle=names.vehicle,
    )


SOON = AT + timedelta(hours=72)
RANGE = Expected(AT + timedelta(minutes=5), AT + timedelta(minutes=12), AT)

SHOWN: dict[Kind, Callable[[Sender, Names], Words]] = {
    Kind.INVITATION: lambda who, n: people.invitation(who, n.account, "kaisa@example.org", CODE, SOON, ZONE),
    Kind.RESET: lambda who, n: people.reset(who, CODE, SOON, ZONE),
    Kind.CHANGED: lambda who, n: people.changed(who, AT, ZONE),
    Kind.WELCOME_ACCOUNT: lambda who, n: people.welcome_account(who, n.account),
    Kind.CONFIRMATION: lambda who, n: visits.confirmation(who, visit(n)),
    Kind.RESCHEDULED: lambda who, n: visits.rescheduled(who, visit(n), AT - timedelta(days=1)),
    Kind.CANCELED: lambda who, n: visits.canceled(who, visit(n), n.reason),
    Kind.REMINDER: lambda who, n: visits.reminder(who, visit(n), AT - timedelta(days=1)),
    Kind.TRAVELING: lambda who, n: on_the_day.traveling(who, visit(n), AT - timedelta(minutes=19), RANGE),
    Kind.DELAY: lambda who, n: on_the_day.delay(who, visit(n), RANGE, can_move=True),
    Kind.ARRIVING: lambda who, n: on_the_day.arriving(who, visit(n), AT + timedelta(minutes=8)),
    Kind.COMPLETED: lambda who, n: on_the_day.completed(who, visit(n), AT, AT + timedelta(minutes=50), asks=True),
    Kind.NOT_DONE: lambda who, n: on_the_day.not_done(who, visit(n), n.reason),
    Kind.TAKEN_BACK: lambda who, n: on_the_day.taken_back(who, visit(n), State.TRAVELING),
    Kind.LINK: lambda who, n: visits.new_link(who, visit(n)),
}


def shown(kind: Kind, language: str, names: Names | None = None) -> tuple[Sender, Words]:
    """The letter and who writes it."""
    who = sender(language, names or Names())
    return who, SHOWN[kind](who, names or Names())
