"""What a customer is told of a visit by letter: each thing once, nothing that was taken back, and the calendar kept right."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from tests.bookable import Bookable, Roads, at, drive, settle
from tests.post.catcher import Catcher, Caught, catcher
from tracker.actions.booking import booking, moving
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.people import profiles
from tracker.actions.trip.handover import hand_over
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.domain.letter_kinds import Kind
from tracker.records import outbox, outgoing
from tracker.records.appointments import Appointment
from tracker.records.settings import write


@dataclass
class Office:
    """A company that can be booked, whose letters are caught; its post is fetched when a test says so."""

    house: House
    company: Bookable
    caught: Catcher

    async def book(self, arrival: datetime | None = None) -> Appointment:
        return await booking.book(self.house, self.company.anna, self.company.need(), arrival or at(14))

    async def step(self, visit: Appointment, step: Step, actor: Actor | None = None, reason: str | None = None) -> Appointment:
        assert visit.technician_id is not None
        who = actor or Actor(Role.TECHNICIAN, person="t", technician=visit.technician_id)
        return await take_step(self.house, who, visit.id, Wish(step=step, reason=reason))

    async def later(self, **by: float) -> list[str]:
        """The subjects of the letters that came by then."""
        self.house.clock.move(**by)  # type: ignore[attr-defined]
        before = len(self.caught.letters)
        await Postman(self.house).turn()
        return [letter.message["Subject"] for letter in self.caught.letters[before:]]

    async def setting(self, key: str, value: object) -> None:
        async with self.house.db.transaction() as tx:
            await write(tx, key, value, "test", self.house.clock())
        await self.house.settings.refresh(self.house.db)


@pytest.fixture
async def office(house: House) -> AsyncIterator[Office]:
    drive(house, Roads())
    company = await settle(house.db)
    async with catcher() as caught:
        house.post = caught.post()
        yield Office(house, company, caught)


def entry(letter: Caught) -> tuple[str, str, int, datetime, str]:
    """UID, method, sequence, start and status of the letter's calendar part; the attached file is the same."""
    [part] = [part for part in letter.message.walk() if part.get_content_type() == "text/calendar"]
    [attached] = list(letter.message.iter_attachments())
    calendar = Calendar.from_ical(part.get_content())
    assert attached.get_content() == part.get_payload(decode=True)
    [event] = calendar.walk("VEVENT")
    [zone] = calendar.walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Helsinki"
    assert (event["ORGANIZER"], event["ATTENDEE"]) == ("mailto:no-reply@portal.example.org", "mailto:customer0@example.org")
    assert str(calendar["METHOD"]) == part.get_param("method")
    return str(event["UID"]), str(calendar["METHOD"]), int(event["SEQUENCE"]), event["DTSTART"].dt, str(event["STATUS"])


async def test_booked_moved_canceled_is_one_calendar_entry_through_three_letters(office: Office) -> None:
    visit = await office.book()
    assert await office.later(seconds=1) == ["Booked: Wed 25 Nov, 14:00, heat pump service"]
    await moving.move(office.house, office.company.anna, visit.id, at(15), version=None)
    assert await office.later(seconds=1) == ["New time: Wed 25 Nov, 15:00, heat pump service"]
    await office.step(visit, Step.CANCEL, office.company.anna, "away that day")
    assert await office.later(seconds=1) == ["Canceled: Wed 25 Nov, 15:00, heat pump service"]
    uid = f"{visit.id}@portal.example.org"
    assert [entry(letter) for letter in office.caught.letters] == [
        (uid, "REQUEST", 0, at(14), "CONFIRMED"),
        (uid, "REQUEST", 1, at(15), "CONFIRMED"),
        (uid, "CANCEL", 2, at(15), "CANCELLED"),
    ]
    first, second, third = office.caught.letters
    assert "Your visit of Wed 25 Nov, 14:00 was moved." in second.text
    assert "Reason: away that day" in third.text
    assert "https://portal.example.org/v#" in first.text
    assert first.message["To"] == "Customer 0 <customer0@example.org>"
    assert await office.later(days=3) == []


async def test_a_visit_told_while_it_happens(office: Office) -> None:
    visit = await office.book()
    await office.later(seconds=1)
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    assert await office.later(seconds=29) == []
    [subject] = await office.later(seconds=2)
    assert subject.startswith("Technician is on the way, expected ")
    assert "As of 10:02, Helsinki time (EET, UTC+2)." in office.caught.letters[-1].text
    await office.step(visit, Step.ARRIVE)
    assert await office.later(minutes=30) == []
    await office.step(visit, Step.COMPLETE)
    assert await office.later(seconds=31) == ["Visit completed: heat pump service"]
    done = office.caught.letters[-1]
    assert not [part for part in done.message.walk() if part.get_content_type() == "text/calendar"]
    assert "Send feedback:\r\nhttps://portal.example.org/v#" in done.text


async def test_where_nobody_is_asked_how_it_was_the_letter_has_no_such_button(office: Office) -> None:
    await office.setting("surveys", False)
    visit = await office.book()
    await office.later(hours=20)
    for step in (Step.ARRIVE, Step.COMPLETE):
        await office.step(visit, step)
    await office.later(seconds=31)
    assert "feedback" not in office.caught.letters[-1].text
    assert "View the visit:\r\nhttps://portal.example.org/v#" in office.caught.letters[-1].text


async def test_where_customers_see_no_live_map_no_letter_promises_one(office: Office) -> None:
    await office.setting("technician_tracking", False)
    visit = await office.book()
    await office.later(seconds=1)
    assert "You get this because you booked this visit in the portal." in office.caught.letters[-1].text
    assert "you get a message when the technician sets off.\r\n" in office.caught.letters[-1].text
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    [subject] = await office.later(seconds=31)
    assert subject.startswith("Technician is on the way, expected ")
    assert "View appointment:\r\nhttps://portal.example.org/v#" in office.caught.letters[-1].text
    assert not [one for one in office.caught.letters if re.search("live map|where the van is|stops sharing", one.text + one.html)]


async def test_nothing_is_told_of_a_step_that_was_undone(office: Office) -> None:
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    await office.step(visit, Step.UNDO)
    assert await office.later(seconds=31) == []
    for step in (Step.START_TRAVEL, Step.ARRIVE, Step.COMPLETE, Step.UNDO, Step.COMPLETE):
        await office.step(visit, step)
        office.house.clock.move(seconds=5)  # type: ignore[attr-defined]
    assert await office.later(seconds=31) == ["Visit completed: heat pump service"]


def kinds(office: Office) -> list[str]:
    return [letter.message["Message-ID"].strip(" <").partition(".")[0] for letter in office.caught.letters]


async def test_what_was_told_too_soon_is_put_right_and_not_if_it_is_so_by_then(office: Office) -> None:
    desk, visit, other = office.company.desk, await office.book(), await office.book(at(16))
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    assert len(await office.later(seconds=31)) == 1
    await office.step(visit, Step.UNDO, desk)
    assert await office.later(seconds=31) == ["Not on the way yet: heat pump service, Wed 25 Nov, 14:00"]
    assert "The visit is planned for\r\n\r\n    Wed 25 Nov, 14:00" in office.caught.letters[-1].text
    await office.step(visit, Step.START_TRAVEL)
    await office.later(seconds=31)
    await office.step(visit, Step.UNDO, desk)
    await office.step(visit, Step.START_TRAVEL)  # a wrong press: nobody is told twice
    [again] = await office.later(seconds=31)
    assert "is on the way, expected" in again
    await hand_over(office.house, desk, visit.id, None)
    assert await office.later(seconds=31) == ["Not on the way yet: heat pump service, Wed 25 Nov, 14:00"]
    await hand_over(office.house, desk, visit.id, visit.technician_id)
    await office.step(visit, Step.START_TRAVEL)
    assert len(await office.later(seconds=31)) == 1
    leaves = Wish(step=Step.START_TRAVEL, switch=True)
    await take_step(office.house, Actor(Role.TECHNICIAN, person="t", technician=visit.technician_id), other.id, leaves)
    told = await office.later(seconds=31)
    assert "Not on the way yet: heat pump service, Wed 25 Nov, 14:00" in told
    assert len(told) == 2
    await office.step(other, Step.UNDO, desk)
    assert await office.later(seconds=31) == ["Not on the way yet: heat pump service, Wed 25 Nov, 16:00"]
    for step in (Step.ARRIVE, Step.COMPLETE):
        await office.step(visit, step)
    await office.later(seconds=31)
    await office.step(visit, Step.UNDO, desk)
    assert await office.later(seconds=31) == ["Not completed yet: heat pump service"]
    await office.step(visit, Step.COMPLETE)
    assert await office.later(seconds=31) == ["Visit completed: heat pump service"]
    assert await office.later(days=3) == []


@pytest.mark.parametrize("moment", ["as it is read", *range(0, 60, 12)])
async def test_an_undo_races_two_workers_and_each_letter_is_told_or_put_right(office: Office, moment: int | str) -> None:
    """``moment``: the undo begins when the mail server reads the letter, or so many turns of the loop after the workers."""
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    office.house.clock.move(seconds=31)  # type: ignore[attr-defined]
    before, undone = len(office.caught.letters), asyncio.Event()

    async def undo() -> None:
        for _ in range(moment if isinstance(moment, int) else 0):
            await asyncio.sleep(0)
        await (undone.wait() if isinstance(moment, str) else asyncio.sleep(0))
        await office.step(visit, Step.UNDO, office.company.desk)

    office.caught.at_data = lambda _server, _envelope: undone.set()
    await asyncio.gather(Postman(office.house).turn(), Postman(office.house).turn(), undo())
    for _ in range(3):
        office.house.clock.move(minutes=6)  # type: ignore[attr-defined]
        await asyncio.gather(*(Postman(office.house).turn() for _ in range(2)))
    told = kinds(office)[before:]
    assert told in ([], ["traveling", "taken_back"])
    assert isinstance(moment, int) or told
    async with office.house.db.reading() as tx:
        assert (await outbox.state(tx, office.house.clock()))[::2] == (0, 0)


async def test_a_letter_that_goes_out_while_the_undo_looks_at_it_is_put_right(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    office.house.clock.move(seconds=31)  # type: ignore[attr-defined]
    before, read = len(office.caught.letters), outbox.latest

    async def slowly(*said: Any) -> list[outbox.Letter]:
        found = await read(*said)
        if not office.house.db.sqlite:  # there nobody writes meanwhile
            await Postman(office.house).turn()
        return found

    with monkeypatch.context() as patched:
        patched.setattr(outbox, "latest", slowly)
        await office.step(visit, Step.UNDO, office.company.desk)
    await office.later(minutes=6)
    assert kinds(office)[before:] == ([] if office.house.db.sqlite else ["traveling", "taken_back"])


@pytest.mark.parametrize("when", ["its lease still runs", "its lease is over", "it is tried again"])
async def test_what_a_worker_handed_in_and_died_is_put_right_whenever_it_is_taken_back(office: Office, when: str) -> None:
    """The server has the letter whole; the worker is gone before it could write that down."""
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    office.house.clock.move(seconds=31)  # type: ignore[attr-defined]
    read = asyncio.Event()
    office.caught.at_data = lambda _server, _envelope: read.set()
    worker = asyncio.create_task(Postman(office.house).turn())
    await read.wait()
    worker.cancel()
    await asyncio.wait([worker])
    office.caught.at_data = None
    if when == "it is tried again":
        busy = "450 4.3.2 not now"
        office.caught.refuse = {"customer0@example.org": busy}
        assert await office.later(minutes=6) == []  # a refusal now takes nothing back of what was read then
        office.caught.refuse = {}
    elif when == "its lease is over":
        office.house.clock.move(minutes=6)  # type: ignore[attr-defined]
    await office.step(visit, Step.UNDO, office.company.desk)
    told = [subject for _ in range(3) for subject in await office.later(minutes=6)]
    assert told == ["Not on the way yet: heat pump service, Wed 25 Nov, 14:00"]
    assert await office.later(days=3) == []


async def test_nothing_is_put_right_that_no_server_has_read(office: Office) -> None:
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    office.caught.refuse = {"customer0@example.org": "450 4.3.2 not now"}
    assert await office.later(seconds=31) == []
    office.caught.refuse = {}
    await office.step(visit, Step.UNDO, office.company.desk)
    assert [subject for _ in range(3) for subject in await office.later(minutes=6)] == []


async def test_a_letter_that_is_sent_again_has_been_read_once(office: Office) -> None:
    visit = await office.book()
    await office.later(hours=20)
    await office.step(visit, Step.START_TRAVEL)
    assert len(await office.later(seconds=31)) == 1
    async with office.house.db.transaction() as tx:
        [letter] = await outbox.latest(tx, 1, outbox.Wanted(appointment=visit.id, kind=Kind.TRAVELING))
        await outgoing.again(tx, letter, office.house.clock())
    await office.step(visit, Step.UNDO, office.company.desk)
    assert await office.later(minutes=6) == ["Not on the way yet: heat pump service, Wed 25 Nov, 14:00"]


async def test_what_could_not_be_done_says_why(office: Office) -> None:
    visit = await office.book()
    await office.later(hours=20)
    for step in (Step.START_TRAVEL, Step.ARRIVE):
        await office.step(visit, step)
    await office.step(visit, Step.NOT_DONE, reason="Nobody\nat home")
    assert await office.later(minutes=1) == ["Could not be done: heat pump service, Wed 25 Nov, 14:00"]
    assert "Nobody" in office.caught.letters[-1].text


async def test_reminders_move_with_the_visit_and_none_comes_twice(office: Office) -> None:
    await office.setting("reminders_h", [48, 2])
    visit = await office.book(at(14, days=2))
    await office.later(seconds=1)
    await moving.move(office.house, office.company.anna, visit.id, at(10, days=6), version=None)  # Tuesday
    await office.later(seconds=1)
    told: dict[str, datetime] = {}
    for _ in range(24 * 8):
        for subject in await office.later(hours=1):
            assert subject not in told
            told[subject] = office.house.clock()
    assert {subject: at(10, days=6) - moment for subject, moment in told.items()} == {
        "Reminder: Tue 1 Dec, 10:00, heat pump service": pytest.approx(timedelta(hours=48), abs=timedelta(hours=1)),
        "Today: Tue 1 Dec, 10:00, heat pump service": pytest.approx(timedelta(hours=2), abs=timedelta(hours=1)),
    }


async def test_a_canceled_visit_is_not_reminded_of_and_a_late_booking_neither(office: Office) -> None:
    first = await office.book(at(14, days=2))
    late = await office.book(at(9))  # within 24 h
    await office.later(seconds=1)
    await office.step(first, Step.CANCEL, office.company.anna, "away")
    await office.step(late, Step.CANCEL, office.company.anna, "away")
    await office.later(seconds=1)
    assert await office.later(days=1, hours=20) == []
    async with office.house.db.reading() as tx:
        assert (await outbox.state(tx, office.house.clock())).failed == 0


async def test_a_move_of_minutes_moves_the_reminder_and_sends_no_letter(office: Office) -> None:
    await office.setting("slot_grid_min", 5)
    visit = await office.book(at(14, days=2))
    await office.later(seconds=1)
    await moving.move(office.house, office.company.anna, visit.id, at(14, 10, days=2), version=None)
    assert await office.later(seconds=1) == []
    assert await office.later(days=2, hours=1) == ["Reminder: Fri 27 Nov, 14:10, heat pump service"]
    assert "https://portal.example.org/v#" in office.caught.letters[-1].text


async def test_a_kind_that_is_switched_off_is_not_sent(office: Office) -> None:
    await office.setting("letters_off", ["confirmation"])
    visit = await office.book()
    assert await office.later(seconds=1) == []
    await office.step(visit, Step.CANCEL, office.company.anna, "away")
    assert len(await office.later(seconds=1)) == 1


async def test_two_workers_tell_each_thing_once(office: Office) -> None:
    for hour in (9, 11, 13, 15):
        await office.book(at(hour))
    office.house.clock.move(seconds=1)  # type: ignore[attr-defined]
    await asyncio.gather(*(Postman(office.house).turn() for _ in range(3)))
    assert len(office.caught.letters) == len({letter.message["Message-ID"] for letter in office.caught.letters}) == 4


async def test_everybody_reads_letters_in_the_own_language_else_in_the_companys(office: Office) -> None:
    await office.setting("language", "ar")
    visit = await office.book()
    [subject] = await office.later(seconds=1)
    assert subject == "تم الحجز: الأربعاء، 25 نوفمبر، 14:00، \u2068Heat pump service\u2069"
    [letter] = office.caught.letters
    assert letter.message["Content-Language"] == "ar"
    assert '<html lang="ar" dir="rtl">' in letter.html
    [part] = [part for part in letter.message.walk() if part.get_content_type() == "text/calendar"]
    [event] = Calendar.from_ical(part.get_content()).walk("VEVENT")
    assert "يصل الفني في بداية هذا الموعد." in event["DESCRIPTION"]
    await profiles.save_profile(office.house, office.company.anna, name="", phone="", zone="", locale="en")
    await office.step(visit, Step.CANCEL, office.company.anna, "away")
    assert await office.later(seconds=1) == ["Canceled: Wed 25 Nov, 14:00, heat pump service"]
