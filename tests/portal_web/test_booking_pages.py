"""Booking, moving and canceling without any script: what is shown, kept, held, refused and lost (B1–B13, A3–A9)."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from portal_web.chosen_view import moment
from tests.bookable import Roads, drive
from tests.portal_web.customers import HOME, OFFICE, Household, furnish
from tests.portal_web.living import living
from tests.portal_web.tabs import Page, Tab, fields, tab_of
from tests.world import PLACE
from tracker.actions.booking import booking, holding, moving
from tracker.actions.booking.travel import TravelMemory
from tracker.domain import changing
from tracker.domain.appointments import State, Step
from tracker.records import customers, events, outbox, schema


@pytest.fixture
async def home(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Household]:
    async with living(sqlite_url, redis_url, tmp_path) as town:
        yield await furnish(town)


@pytest.fixture
async def anna(home: Household) -> Tab:
    return await tab_of(home.town, home.town.world.customer)


async def with_times(home: Household, tab: Tab, *, day: int = 2, asset: str = "", **more: str) -> Page:
    """The book page with a service chosen, at a day that has all its times."""
    page = await tab.get("/book")
    page = await page.press("show", asset=asset, service=home.inspection, **more)
    return await page.press("to_day", page.values("to_day")[day])


# -- choosing ----------------------------------------------------------------------------------------------------------


async def test_the_page_grows_with_the_choices_and_forgets_none(home: Household, anna: Tab) -> None:
    page = await anna.get("/book")
    assert page.values("to_at") == page.values("to_day") == page.values("book") == []
    assert "Takes four short steps." in page.text
    page = await page.press("show", asset=home.fan, service=home.inspection)
    assert f"Visit address: {OFFICE}. This is where the ventilation unit is." in page.text
    assert len(page.values("to_day")) in (6, 7)  # late in the evening today is full
    assert "in Helsinki time (E" in page.text
    assert "Travel is estimated from the distance." in page.text  # no road router runs here
    drive(home.town.house, Roads(20))
    home.town.house.travels = TravelMemory()
    page = await page.press("show", asset=home.fan, service=home.inspection)
    assert "estimated" not in page.text
    page = await page.press("to_day", page.values("to_day")[2], details="Door code <1234>")
    at = page.values("to_at")[5]
    page = await page.press("to_at", at)
    assert fields(page, "asset", "service", "details", "at") == {
        "asset": home.fan,
        "service": home.inspection,
        "details": "Door code <1234>",
        "at": at,
    }
    assert "Held for you for the next 5 min. After that others can book this time." in page.text
    assert page.text.count("Held for 5 min") == 2  # beside both buttons, where it is seen
    page = await page.press("to_first", page.values("to_first")[-1])
    assert fields(page, "at", "details") == {"at": at, "details": "Door code <1234>"}  # another week forgets nothing
    page = await page.press("book")
    assert "You’re booked" in page.text
    [booked] = await home.all_booked()
    assert f'href="/appointments/{booked.id}/calendar.ics"' in page.answer.text
    for said in (booked.booking_id, OFFICE, "Ventilation unit, Office", "Heat pump inspection", "Door code <1234>", "Maya"):
        assert said in page.text
    assert (booked.asset_id, booked.details, booked.address) == (home.fan, "Door code <1234>", OFFICE)
    assert booked.contact_id
    assert not [address for address in anna.asked if "1234" in address or "Bulevardi" in address]


async def test_an_asset_without_a_place_of_its_own_is_at_the_accounts_address(home: Household, anna: Tab) -> None:
    page = await (await anna.get("/book")).press("show", asset=home.pump, service=home.inspection)
    assert f"Visit address: {HOME}. This is the address of your account." in page.text


async def test_without_a_place_on_the_map_the_page_says_so_and_offers_no_time(home: Household, anna: Tab) -> None:
    async with home.town.house.db.transaction() as tx:
        await customers.change_account(tx, home.account, lat=None, lon=None)
    page = await (await anna.get("/book")).press("show", asset=home.pump, service=home.inspection)
    assert "We can’t find this address on the map, so we can’t offer times." in page.text
    assert page.values("to_at") == page.values("book") == []
    page = await page.press("show", asset=home.fan, service=home.inspection)  # the office can be found
    assert page.values("to_day")


async def test_what_the_settings_switch_off_is_not_there_and_not_taken(home: Household, anna: Tab) -> None:
    await home.set("asset_selection", False)
    await home.set("details_field", False)
    page = await anna.get("/book")
    assert "Takes two short steps." in page.text
    assert "What is it about?" not in page.text
    page = await with_times(home, anna)
    page = await page.press("to_at", page.values("to_at")[3])
    assert "details" not in page.form.fields
    page = await page.press("book", details="all the same")
    assert "Additional details cannot be given here." in page.text
    assert await home.all_booked() == []


async def test_only_the_own_accounts_equipment_and_services_can_be_named(home: Household, anna: Tab) -> None:
    stranger = await tab_of(home.town, home.town.world.stranger)
    page = await anna.get(f"/book?asset={'0' * 16}&service={'1' * 16}&at=yesterday&day=x&first=9999-12-31")
    assert page.status == 200
    assert page.form.fields["asset"] == ""
    assert "service" not in page.form.fields
    assert (await stranger.get(f"/book?account={home.account}")).status == 404
    theirs = await stranger.get(f"/book?asset={home.fan}&service={home.inspection}")
    assert OFFICE not in theirs.text
    nobodys = await anna.post("/book", (await anna.get("/book")).form.fields | {"account": "f" * 16, "show": "1"}, "/book")
    assert nobodys.status == 404


async def test_looking_holds_and_books_nothing(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    at = page.values("to_at")[4]
    looked = await anna.get(f"/book?service={home.inspection}&day={page.form.fields['day']}&at={at}")
    assert "Held for you" not in looked.text
    assert looked.values("book")[0] == at
    async with home.town.house.db.reading() as tx:
        assert await tx.rows(schema.holds.select()) == []
    assert await home.all_booked() == []


async def test_an_empty_week_leads_to_the_next_free_day(home: Household, anna: Tab) -> None:
    await home.set("lead_time_min", 12 * 24 * 60)
    page = await (await anna.get("/book")).press("show", asset="", service=home.inspection)
    assert "No times in this week. The next free time is" in page.text
    [day] = page.values("to_day")
    page = await page.press("to_day", day)
    assert page.form.fields["day"] == day
    assert page.values("to_at")


# -- holding -----------------------------------------------------------------------------------------------------------


async def test_a_held_time_is_nobody_elses_and_can_be_kept_longer_once(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    at = page.values("to_at")[6]
    page = await page.press("to_at", at)
    other = await tab_of(home.town, home.town.world.customer)  # another browser of hers: another session
    assert at not in (await with_times(home, other)).values("to_at")
    page, twice = await page.press("extend"), await page.press("extend")
    for shown in (page, twice):
        assert "Held for you for the next 10 min." in shown.text
        assert shown.values("extend") == []
    assert "a hold can be extended only once" in twice.text
    assert "Your hold has ended" not in twice.text
    page = await page.press("to_at", page.values("to_at")[10])  # one hold a session: the first is given back
    assert at in (await with_times(home, other)).values("to_at")


async def test_a_hold_that_ended_is_said_and_the_time_can_still_be_booked(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    page = await page.press("to_at", page.values("to_at")[6])
    actor = home.anna
    house = home.town.house
    real, house.clock = house.clock, lambda: real() + timedelta(minutes=6)
    page = await page.press("extend")
    assert "Your hold has ended. The time may still be free: choose it again." in page.text
    assert "Held for you" not in page.text
    assert await holding.held(house, actor) is None
    page = await page.press("book")
    assert "You’re booked" in page.text


async def test_a_held_time_is_held_anew_for_another_service_or_place(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna, asset=home.pump)
    at = page.values("to_at")[8]
    page = await page.press("to_at", at)
    for changed in ({"service": home.repair}, {"asset": home.fan}):
        page = await page.press("show", **changed)
        assert page.form.fields["at"] == at
        assert "Held for you" in page.text
    async with home.town.house.db.reading() as tx:
        [held] = await tx.rows(schema.holds.select())
    assert held["service_type_id"] == home.repair
    assert (held["lat"], held["lon"]) != tuple(PLACE)  # at the office


async def test_a_held_time_that_another_service_cannot_have_is_given_up_aloud(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    times = page.values("to_at")
    at = moment(times[8])
    assert at
    page = await page.press("to_at", times[8])
    need = booking.Need(account=home.account, service_type=home.inspection)
    after = min(each for each in (moment(one) for one in times[10:14]) if each and each - at >= timedelta(minutes=60))
    await booking.book(home.town.house, home.anna, need, after)  # an hour later somebody else begins: 90 min fit no more
    page = await page.press("show", service=home.repair, details="kept")
    assert "The time you chose is not free for this. Choose another time. Your other answers are kept." in page.text
    assert page.values("book") == []
    assert page.form.fields["details"] == "kept"


# -- racing ------------------------------------------------------------------------------------------------------------


async def test_two_tabs_one_time_the_slower_sees_the_nearest_and_keeps_its_answers(home: Household, anna: Tab) -> None:
    other = await tab_of(home.town, home.town.world.customer)
    pages = [await with_times(home, tab) for tab in (anna, other)]
    at = pages[0].values("to_at")[20]
    looked = [
        await tab.get(f"/book?service={home.inspection}&day={page.form.fields['day']}&at={at}")
        for tab, page in zip((anna, other), pages, strict=True)
    ]
    done = await asyncio.gather(*(page.press("book", details=f"from tab {number}") for number, page in enumerate(looked)))
    assert sorted(page.status for page in done) == [200, 409]
    [lost] = [page for page in done if page.status == 409]
    assert "was just taken Nothing has been booked. Your other answers are kept. These are the nearest times:" in lost.text
    assert lost.form.fields["details"].startswith("from tab")
    assert len([one for one in lost.form.buttons if one[0] == "to_at" and one[1] == lost.values("book")[0]]) >= 1
    assert at not in lost.values("to_at")
    assert len(await home.all_booked()) == 1
    again = await lost.press("book")  # one press books the nearest
    assert "You’re booked" in again.text
    assert len(await home.all_booked()) == 2


async def test_a_double_click_books_once(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    page = await page.press("to_at", page.values("to_at")[9])
    done = await asyncio.gather(*(page.press("book") for _ in range(4)))
    [booked] = await home.all_booked()
    assert all(booked.booking_id in each.text for each in done)
    async with home.town.house.db.reading() as tx:
        written = [letter.kind for letter in await outbox.of_appointment(tx, booked.id)]
    assert written.count(outbox.Kind.CONFIRMATION) == 1


async def test_a_form_that_has_booked_asks_before_it_books_something_else(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    page = await page.press("to_at", page.values("to_at")[9])
    await page.press("book")
    again = await page.press("book", details="one more thing")
    assert again.status == 422
    assert "This form has booked a visit before, with other answers." in again.text
    assert len(await home.all_booked()) == 1


# -- moving ------------------------------------------------------------------------------------------------------------


async def test_moving_keeps_the_old_time_until_it_is_saved(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/modify")
    assert f"Booking {booked.booking_id}" in page.text
    page = await page.press("to_day", page.values("to_day")[3])
    page = await page.press("to_at", page.values("to_at")[7])
    assert (await home.appointment(booked.id)).arrival_at == booked.arrival_at
    page = await page.press("save")
    assert "Your visit is moved" in page.text
    assert f"Booking ID stays {booked.booking_id}" in page.text
    after = await home.appointment(booked.id)
    assert after.arrival_at != booked.arrival_at
    assert (after.technician_id, after.sequence) == (booked.technician_id, booked.sequence + 1)
    old, new = (each.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (booked.arrival_at, after.arrival_at))
    assert page.answer.text.index(f'"{old}"') < page.answer.text.index(f'"{new}"')


async def test_what_was_booked_can_be_moved_whatever_became_of_its_equipment_and_rules(home: Household, anna: Tab) -> None:
    """Its page offers what saving takes: the same service at the same place (B5)."""
    booked = await home.book()
    async with home.town.house.db.transaction() as tx:
        await tx.change(schema.assets.update().where(schema.assets.c.id == home.pump).values(active=False))
        await tx.change(schema.service_types.update().where(schema.service_types.c.id == home.inspection).values(for_all=False))
        await customers.change_account(tx, home.account, lat=None, lon=None)
    await home.set("asset_selection", False)
    page = await anna.get(f"/appointments/{booked.id}/modify")
    page = await page.press("to_day", page.values("to_day")[3])
    page = await page.press("to_at", page.values("to_at")[7])
    page = await page.press("save")
    assert "Your visit is moved" in page.text


async def test_moving_begins_at_the_visits_own_day_and_says_when_it_is(home: Household, anna: Tab) -> None:
    near = await home.book(day=2)
    need = booking.Need(account=home.account, service_type=home.inspection)
    later = await booking.times(home.town.house, home.anna, need, near.arrival_at.date() + timedelta(days=20))
    far = await booking.book(home.town.house, home.anna, need, later.days[0].offers[0].arrival_at)
    for visit in (near, far):
        page = await anna.get(f"/appointments/{visit.id}/modify")
        own = visit.arrival_at.astimezone(ZoneInfo(visit.zone))
        assert page.form.fields["day"] == own.date().isoformat()
        assert f"Now: {own:%a} {own.day} {own:%b}, {own:%H:%M}" in page.text
    page = await page.press("to_first", page.values("to_first")[0])  # the week before it is a press away
    assert page.form.fields["day"] < far.arrival_at.date().isoformat()


async def test_the_second_who_moves_sees_what_the_first_did(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/modify")
    page = await page.press("to_day", page.values("to_day")[3])
    page = await page.press("to_at", page.values("to_at")[7])
    elsewhere = booked.arrival_at + timedelta(hours=2)
    await moving.move(home.town.house, home.anna, booked.id, elsewhere, version=booked.version)
    second = await page.press("save")
    assert second.status == 412
    assert "This appointment was moved in the meantime: from" in second.text
    assert "Nothing of yours was saved." in second.text
    assert (await home.appointment(booked.id)).arrival_at == elsewhere
    third = await second.press("save")  # having seen it, the own choice still stands
    assert "Your visit is moved" in third.text


async def test_a_lost_race_when_moving_says_that_the_old_time_is_kept(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/modify")
    page = await page.press("to_day", page.values("to_day")[3])
    at = page.values("to_at")[20]
    page = await page.press("to_at", at)
    need = booking.Need(account=home.account, service_type=home.inspection)
    wanted = moment(at)
    assert wanted
    await booking.book(home.town.house, home.anna, need, wanted)
    lost = await page.press("save")
    assert lost.status == 409
    assert "was just taken Your change was not saved. Your appointment is still" in lost.text
    assert (await home.appointment(booked.id)).arrival_at == booked.arrival_at
    assert "Your visit is moved" in (await lost.press("save")).text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.TRAVELING, changing.SET_OFF),
        (State.IN_PROGRESS, changing.STARTED),
        (State.COMPLETED, changing.COMPLETED),
        (State.CANCELED, changing.CANCELED),
    ],
)
async def test_what_has_begun_or_is_over_cannot_be_moved(home: Household, anna: Tab, state: State, words: str) -> None:
    visit = await home.visit(state)
    page = await anna.get(f"/appointments/{visit}/modify")
    assert words in page.text
    assert page.values("save") == []


async def test_a_visit_that_set_off_while_its_page_was_open_stays_where_it_is(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/modify")
    page = await page.press("to_day", page.values("to_day")[3])
    page = await page.press("to_at", page.values("to_at")[3])
    await home.town.step(booked.id, Step.START_TRAVEL)
    refused = await page.press("save")
    assert refused.status in (409, 412)
    assert changing.SET_OFF in refused.text
    assert (await home.appointment(booked.id)).arrival_at == booked.arrival_at


# -- canceling ---------------------------------------------------------------------------------------------------------


async def test_a_reason_is_asked_for_and_kept(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/cancel")
    assert "Cancel this appointment?" in page.text
    empty = await page.press("", reason="  ")
    assert (empty.status, "Add a few words about why." in empty.text) == (422, True)
    page = await empty.press("", reason="We are <away>.")
    assert "Your visit is canceled." in page.text
    assert "Canceled by you on" in page.text
    assert "“We are <away>.”" in page.text
    after = await home.appointment(booked.id)
    assert (after.state, after.cancel_reason, after.canceled_by) == (State.CANCELED, "We are <away>.", home.anna.signed)
    assert after.canceled_at
    free = await (await anna.get("/book")).press("show", asset="", service=home.inspection)
    there = booked.arrival_at.astimezone(ZoneInfo(booked.zone)).date()  # today may have no times left, so no day is "the next"
    free = await free.press("to_day", there.isoformat())
    assert booked.arrival_at.strftime("%Y-%m-%dT%H:%M:%SZ") in free.values("to_at")  # the time went back


async def test_on_the_way_it_is_asked_twice_also_of_who_began_before(home: Household, anna: Tab) -> None:
    booked = await home.book()
    before = await anna.get(f"/appointments/{booked.id}/cancel")
    await home.town.step(booked.id, Step.START_TRAVEL)
    page = await before.press("", reason="We are away.")
    assert "The technician has set off in the meantime." in page.text
    assert "Maya is already on the way. Canceling now turns the van around." in page.text
    assert page.form.fields["reason"] == "We are away."
    page = await page.press("")
    assert (page.status, "Tick the box if you want to cancel all the same." in page.text) == (409, True)
    assert (await home.appointment(booked.id)).state is State.TRAVELING
    page = await page.press("", sure="1")
    assert "Your visit is canceled." in page.text
    assert (await home.appointment(booked.id)).state is State.CANCELED


async def test_canceling_on_the_way_can_be_forbidden(home: Household, anna: Tab) -> None:
    await home.set("customer_cancels_traveling", False)
    booked = await home.book()
    await home.town.step(booked.id, Step.START_TRAVEL)
    assert f"/appointments/{booked.id}/cancel" not in (await anna.get("/")).answer.text
    page = await anna.get(f"/appointments/{booked.id}/cancel")
    assert changing.ON_THE_WAY in page.text
    assert page.form.buttons == []


async def test_who_cancels_an_older_version_sees_what_changed_first(home: Household, anna: Tab) -> None:
    booked = await home.book()
    page = await anna.get(f"/appointments/{booked.id}/cancel")
    await moving.move(home.town.house, home.anna, booked.id, booked.arrival_at + timedelta(hours=3), version=booked.version)
    page = await page.press("", reason="Too early.")
    assert page.status == 412
    assert "This appointment was moved in the meantime: from" in page.text
    assert page.form.fields["reason"] == "Too early."
    assert (await home.appointment(booked.id)).state is State.SCHEDULED
    assert "Your visit is canceled." in (await page.press("")).text


async def test_settings_limit_modify_and_cancel_on_every_way_in(home: Household, anna: Tab) -> None:
    booked = await home.book(day=1)
    before = await anna.get(f"/appointments/{booked.id}/cancel")
    await home.set("modify_until_h", 300)
    await home.set("cancel_until_h", 300)
    listed = await anna.get("/")
    assert "A visit can be moved until 300 hours before arrival. Call the service desk." in listed.text
    assert f'href="/appointments/{booked.id}/' not in listed.answer.text.replace(f'href="/appointments/{booked.id}/live', "")
    for what in ("modify", "cancel"):
        assert "until 300 hours before arrival" in (await anna.get(f"/appointments/{booked.id}/{what}")).text
    refused = await before.press("", reason="x")
    assert refused.status == 403
    assert "A visit can be canceled until 300 hours before arrival." in refused.text
    assert (await home.appointment(booked.id)).state is State.SCHEDULED


# -- others ------------------------------------------------------------------------------------------------------------


async def test_other_peoples_visits_are_not_there_whatever_is_asked(home: Household, anna: Tab) -> None:
    booked = await home.book()
    stranger = await tab_of(home.town, home.town.world.stranger)
    own = await anna.get(f"/appointments/{booked.id}/modify")
    token = (await stranger.get("/book")).form.fields["form_token"]
    answers = []
    for id_ in (booked.id, "0" * 16):
        for what in ("modify", "cancel", "booked", "moved", "calendar.ics"):
            answers.append(await stranger.get(f"/appointments/{id_}/{what}"))
        body = own.form.fields | {"form_token": token, "reason": "x", "sure": "1"}
        for what, press in (("modify", {"save": booked.arrival_at.isoformat()}), ("cancel", {})):
            answers.append(await stranger.post(f"/appointments/{id_}/{what}", body | press, ""))
    assert {answer.status for answer in answers} == {404}
    assert len({re.sub(r'value="[0-9a-f]{64}"', "", answer.answer.text) for answer in answers}) == 1
    assert await home.appointment(booked.id) == booked


# -- the calendar file -------------------------------------------------------------------------------------------------


async def test_the_calendar_file_is_one_entry_that_follows_the_visit(home: Household, anna: Tab) -> None:
    booked = await home.book()
    files = [(await anna.get(f"/appointments/{booked.id}/calendar.ics")).answer]
    await moving.move(home.town.house, home.anna, booked.id, booked.arrival_at + timedelta(hours=2), version=booked.version)
    files.append((await anna.get(f"/appointments/{booked.id}/calendar.ics")).answer)
    assert {answer.headers["content-type"] for answer in files} == {"text/calendar; charset=utf-8"}
    assert f'filename="{booked.booking_id}.ics"' in files[0].headers["content-disposition"]
    entries = [Calendar.from_ical(answer.content).walk("VEVENT")[0] for answer in files]
    assert [entry["DTSTART"].dt for entry in entries] == [booked.arrival_at, booked.arrival_at + timedelta(hours=2)]
    assert entries[0]["UID"] == entries[1]["UID"]
    assert [int(entry["SEQUENCE"]) for entry in entries] == [0, 1]
    assert str(entries[0]["LOCATION"]) == HOME
    assert booked.booking_id in str(entries[0]["DESCRIPTION"])


async def test_what_happened_is_written_down(home: Household, anna: Tab) -> None:
    page = await with_times(home, anna)
    page = await page.press("to_at", page.values("to_at")[11])
    await page.press("book")
    [booked] = await home.all_booked()
    async with home.town.house.db.reading() as tx:
        story = await events.of_appointment(tx, booked.id)
    assert [event.kind for event in story] == ["booked"]
    assert booked.booked_by == home.town.world.customer.id
