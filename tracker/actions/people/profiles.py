"""A person's own details (O5): every one optional, asked for once, later reachable from the header."""

from dataclasses import dataclass
from zoneinfo import available_timezones

from tracker.actions.house import House
from tracker.actions.people.accounts import person_of
from tracker.actions.people.customers import text
from tracker.domain.accounts import Actor
from tracker.domain.tongues import LANGUAGES
from tracker.errors import BadInput, NotFound
from tracker.records import audit, people

_PHONE = frozenset("+0123456789 ()-./")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person may tell about themselves. ``zone`` None: the zone of each address is enough;
    ``locale`` None: letters come in the company's language."""

    email: str
    name: str
    phone: str | None = None
    zone: str | None = None
    locale: str | None = None


async def profile_of(house: House, actor: Actor) -> Profile:
    """The own details."""
    async with house.db.reading() as tx:
        person = await people.by_id(tx, person_of(actor))
    if person is None:
        raise NotFound
    return Profile(person.email, person.name, person.phone, person.zone, person.locale)


async def save_profile(house: House, actor: Actor, *, name: str, phone: str, zone: str, locale: str = "") -> None:
    """Save the own details; an empty ``name`` leaves it as it is, an empty ``phone``, ``zone`` or ``locale`` takes it away.

    Errors: `BadInput` with ``field`` naming what cannot be taken.
    """
    values = {"phone": phone_of(phone), "zone": _zone(zone), "locale": _language(locale)}
    if name.strip():
        try:
            values["name"] = text(name, "name")
        except BadInput as refusal:
            raise BadInput(refusal.sentence, field="name") from None
    async with house.db.transaction() as tx:
        await people.change(tx, person_of(actor), **values)
        await audit.write(tx, house.clock(), actor.signed, "profile.changed", person_of(actor), after={"changed": sorted(values)})


def phone_of(said: str) -> str | None:
    """A phone number as it was typed, without needless spaces; None for none."""
    plain = " ".join(said.split())
    if not plain:
        return None
    digits = sum(letter.isdigit() for letter in plain)
    if len(plain) > 32 or not _PHONE.issuperset(plain) or not 5 <= digits <= 15:
        raise BadInput("This is not a phone number. It reads like +358 40 123 4567.", field="phone")
    return plain


def _zone(said: str) -> str | None:
    plain = said.strip()
    if plain and plain not in available_timezones():
        raise BadInput("This time zone is not known. Choose one from the list, or leave it empty.", field="zone")
    return plain or None


def _language(said: str) -> str | None:
    if said and said not in LANGUAGES:
        raise BadInput("Letters are not written in this language. Choose one from the list, or leave it empty.", field="locale")
    return said or None
