"""From booking to canceled in a real browser, with script and without, on a phone and a desktop; the home page's rules A1–A7."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from portal_web.assets import portal_assets
from portal_web.chosen_view import own_words
from tests.journeys.test_from_invitation_to_home import letter, link_in, redeems
from tests.journeys.visitors import DESKTOP, PHONE, Visitor, visiting
from tests.portal_web.customers import Household, furnish
from tests.portal_web.living import START, Town, until
from tests.portal_web.test_portal_identity import DESK
from tracker.actions.booking import booking, moving
from tracker.actions.people import contacts
from tracker.domain.appointments import State, Step

pytestmark = pytest.mark.journey

PLAIN = {"viewport": PHONE, "locale": "en-GB", "timezone_id": "Europe/Helsinki", "java_script_enabled": False}
SCRIPTED = {"viewport": PHONE, "locale": "en-GB", "timezone_id": "Europe/Helsinki"}
WIDE = {"viewport": DESKTOP, "locale": "en-GB", "timezone_id": "Europe/Helsinki", "color_scheme": "dark"}


@pytest_asyncio.fixture(loop_scope="session")
async def home(town: Town) -> Household:
    return await furnish(town)


async def choose(anna: Visitor, home: Household, *, day: int, slot: int) -> None:
    """Equipment, service, day and time, as a person would."""
    page = anna.page
    await page.get_by_role("radio", name="Ventilation unit").check()
    await page.get_by_role("radio", name="Heat pump inspection").check()
    if await page.get_by_role("button", name="Show times").is_visible():
        await page.get_by_role("button", name="Show times").click()
    await page.locator(".day").nth(day).click()
    await expect(page.locator(".day").nth(day)).to_have_attribute("aria-pressed", "true")
    await page.locator(".slot").nth(slot).click()
    await anna.sees("Held for you for the next 5 min.")


@pytest.mark.parametrize("look", [PLAIN, SCRIPTED, WIDE], ids=["plain", "phone", "desktop-dark"])
async def test_booked_moved_and_canceled(chromium: Browser, town: Town, home: Household, look: dict[str, Any]) -> None:
    scripted, invited = look.get("java_script_enabled", True), look is SCRIPTED
    async with visiting(chromium, town, None if invited else town.world.customer, **look) as anna:
        page = anna.page
        if invited:  # one way from the letter to the canceled visit
            await contacts.add_contact(town.house, DESK, home.account, "kaisa@example.org", "Kaisa Kokeilu")
            await redeems(anna, link_in(await letter(town, "invitation"), "/redeem"))
            await page.get_by_role("link", name="Skip for now").click()
            await anna.sees("Hello, Kaisa")
        await anna.open("/")
        await anna.sees("No appointments yet")
        await page.get_by_role("link", name="Book a new appointment").click()
        await choose(anna, home, day=3, slot=17)
        await page.get_by_role("textbox", name="Details").fill("The door code is QX-12-ZU.")
        await anna.fine(scripted)
        await page.locator("button[name=book]:visible").click()
        await anna.sees("You’re booked")
        [booked] = await home.all_booked()
        await anna.sees(booked.booking_id)
        await anna.sees("The door code is QX-12-ZU.")
        await anna.fine(scripted)
        await page.get_by_role("link", name="Home", exact=True).last.click()

        await page.get_by_role("link", name="Modify").click()
        await page.locator(".day").nth(4).click()
        await expect(page.locator(".day").nth(4)).to_have_attribute("aria-pressed", "true")
        await page.locator(".slot").nth(18).click()
        await page.locator("button[name=save]:visible").wait_for()
        await anna.fine(scripted)
        await page.locator("button[name=save]:visible").click()
        await anna.sees("Your visit is moved")
        await anna.fine(scripted)
        after = await home.appointment(booked.id)
        assert after.arrival_at != booked.arrival_at
        await page.get_by_role("link", name="Home", exact=True).last.click()

        await page.get_by_role("link", name="Cancel").click()
        await anna.sees("Cancel this appointment?")
        assert await page.locator("dialog[open]").count() == (1 if scripted else 0)
        if scripted:
            await page.get_by_role("button", name="Time doesn’t suit").click()
        else:
            await page.get_by_label("Why are you canceling?").fill("Time doesn’t suit")
        await anna.fine(scripted)
        await page.get_by_role("button", name="Cancel appointment").click()
        await anna.sees("Your visit is canceled.")
        await anna.sees("“Time doesn’t suit”")
        await anna.fine(scripted)
        await page.get_by_role("link", name=re.compile("Book again")).click()
        await expect(page.get_by_role("radio", name="Ventilation unit")).to_be_checked()
        await expect(page.get_by_role("radio", name="Heat pump inspection")).to_be_checked()
        assert all("QX" not in address and "Bulevardi" not in address for address in anna.asked)


async def test_the_dialog_lets_go_and_gives_the_focus_back(chromium: Browser, town: Town, home: Household) -> None:
    booked = await home.book()
    async with visiting(chromium, town, town.world.customer, **SCRIPTED) as anna:
        page = anna.page
        await anna.open("/")
        opener = page.get_by_role("link", name="Cancel")
        for leave in ("Escape", "Keep"):
            await opener.click()
            await anna.sees("Cancel this appointment?")
            assert await page.evaluate("document.activeElement.id") == "ch"
            if leave == "Escape":
                await page.keyboard.press("Escape")
            else:
                await page.get_by_role("link", name="Keep appointment").click()
            await expect(page.locator("dialog")).to_have_count(0)
            await expect(opener).to_be_focused()
        await opener.click()
        await page.get_by_role("button", name="Cancel appointment").click()  # without a reason the browser asks for one
        assert await page.locator("textarea:invalid").count() == 1
        assert (await home.appointment(booked.id)).state is State.SCHEDULED


async def test_a_time_that_is_lost_meanwhile_is_said_and_the_nearest_are_one_press_away(
    chromium: Browser, town: Town, home: Household
) -> None:
    async with visiting(chromium, town, town.world.customer, **SCRIPTED) as anna:
        page = anna.page
        await anna.open("/book")
        await page.get_by_role("radio", name="Heat pump inspection").check()
        await page.locator(".day").nth(2).click()
        await expect(page.locator(".day").nth(2)).to_have_attribute("aria-pressed", "true")
        await page.get_by_role("textbox", name="Details").fill("Ring twice.")
        wanted = page.locator(".slot").nth(20)
        at = await wanted.get_attribute("value")
        assert at
        found = await booking.times(town.house, home.anna, booking.Need(account=home.account, service_type=home.inspection))
        taken = next(o.arrival_at for d in found.days for o in d.offers if o.arrival_at.strftime("%Y-%m-%dT%H:%M:%SZ") == at)
        await booking.book(town.house, home.anna, booking.Need(account=home.account, service_type=home.inspection), taken)
        await wanted.click()
        await anna.sees("was just taken")
        assert await page.evaluate("document.activeElement.id") == "news"
        assert await page.locator(".slot--near").count() == 3
        assert await page.get_by_role("textbox", name="Details").input_value() == "Ring twice."
        await anna.accessible()
        await page.locator(".errsum button[name=book]").click()
        await anna.sees("You’re booked")
        await anna.sees("Ring twice.")
        assert await anna.violations() == []


async def test_who_looks_from_another_zone_reads_both_times(chromium: Browser, town: Town, home: Household) -> None:
    async with visiting(chromium, town, town.world.customer, **SCRIPTED | {"timezone_id": "Europe/Stockholm"}) as anna:
        await anna.open("/book")
        await choose(anna, home, day=3, slot=17)
        said = await anna.page.locator("[data-own-time]:visible").inner_text()
        chosen = await anna.page.locator(".slot[aria-pressed=true]").inner_text()
        assert re.fullmatch(r"That is (\w+ \d+ \w+, )?\d\d:\d\d where you are\.", said)
        assert chosen not in said
        await anna.page.locator("button[name=book]:visible").click()
        await anna.sees("You’re booked")
        await anna.sees(said)
        [booked] = await home.all_booked()
        for path in ("/", f"/appointments/{booked.id}/live"):
            await anna.open(path)
            await anna.sees(said)
        await anna.unblemished()


async def test_at_320_pixels_nothing_is_cut_off_even_in_a_week_without_times(
    chromium: Browser, town: Town, home: Household
) -> None:
    booked = await home.book()
    narrow = WIDE | {"viewport": {"width": 320, "height": 640}}
    async with visiting(chromium, town, town.world.customer, **narrow) as anna:
        for what in ("modify", "cancel", "booked", "moved"):
            await anna.open(f"/appointments/{booked.id}/{what}")
            await anna.fine(scripted=True)
        await home.set("lead_time_min", 12 * 24 * 60)
        await anna.open(f"/book?service={home.inspection}")
        await anna.sees("No times in this week. The next free time is")
        await anna.fine(scripted=True)
        await anna.page.get_by_role("button", name=re.compile("^Show ")).last.click()
        await anna.page.locator(".slot").first.wait_for()
        await anna.fine(scripted=True)


async def test_every_page_says_times_in_one_way_whatever_the_browsers_language(
    chromium: Browser, town: Town, home: Household
) -> None:
    booked = await home.book()
    way = await town.appointment()
    await town.step(way, Step.START_TRAVEL)
    await town.ping(START)
    at = f"/appointments/{booked.id}"
    pages = ["/", "/past", f"/book?service={home.inspection}", f"{at}/booked", f"{at}/modify", f"{at}/cancel", f"{at}/live"]
    american = SCRIPTED | {"locale": "en-US", "timezone_id": "America/New_York"}
    async with visiting(chromium, town, town.world.customer, **american) as anna:
        for path in [*pages, f"/appointments/{way}/live"]:
            await anna.open(path)
            await anna.page.wait_for_timeout(300)
            words = await anna.page.locator("body").inner_text()
            assert not re.search(r"\b\d{1,2}(:\d\d)? ?[AaPp]\.?[Mm]\b", words), path
            assert path == "/past" or re.search(r"\b\d\d:\d\d\b", words), path


# -- the home page -----------------------------------------------------------------------------------------------------


async def row(anna: Visitor, visit: str) -> str:
    """All words of a visit's row."""
    return re.sub(r"\s+", " ", await anna.page.locator(f"#a-{visit}").inner_text())


async def test_a1_the_earliest_arrival_is_active_and_the_others_keep_their_map(
    chromium: Browser, town: Town, home: Household
) -> None:
    now = town.house.clock()
    later = await home.visit(State.TRAVELING, arrival_at=now + timedelta(minutes=50), technician_id=town.world.onni)
    whose = (town.world.maya, None, None)
    soon = now + timedelta(minutes=20)
    twins = [await home.visit(State.TRAVELING, arrival_at=soon, technician_id=who) for who in whose]
    sooner = min(twins)  # of equal arrivals the id decides
    async with visiting(chromium, town, town.world.customer, **PLAIN) as anna:
        await anna.open("/")
        active = anna.page.locator("section", has=anna.page.get_by_role("heading", name="Active appointment"))
        assert await active.get_by_role("link", name="View live map").get_attribute("href") == f"/appointments/{sooner}/live"
        assert await anna.page.locator(f"#a-{sooner}").count() == 0
        assert "View live map" in await row(anna, later)


async def test_a2_each_state_stands_where_it_belongs(chromium: Browser, town: Town, home: Household) -> None:
    visits = {state: await home.visit(state) for state in (State.SCHEDULED, State.IN_PROGRESS, State.COMPLETED, State.CANCELED)}
    async with visiting(chromium, town, town.world.customer, **PLAIN) as anna:
        await anna.open("/")
        shown = {state for state, visit in visits.items() if await anna.page.locator(f"#a-{visit}").count()}
        assert shown == {State.SCHEDULED, State.IN_PROGRESS}
        assert await anna.page.get_by_text("Active appointment").count() == 0
        await anna.page.get_by_role("link", name=re.compile("^Past")).click()
        shown = {state for state, visit in visits.items() if await anna.page.locator(f"#a-{visit}").count()}
        assert shown == {State.COMPLETED, State.CANCELED}
        assert await anna.page.get_by_role("link", name=re.compile("Book again")).count() == 2
        assert await anna.page.get_by_role("link", name=re.compile("Modify|Cancel")).count() == 0


async def test_a3_a4_scheduled_offers_modify_and_cancel(chromium: Browser, town: Town, home: Household) -> None:
    visit = await home.visit(State.SCHEDULED)
    async with visiting(chromium, town, town.world.customer, **PLAIN) as anna:
        await anna.open("/")
        there = anna.page.locator(f"#a-{visit}")
        assert await there.get_by_role("link", name="Modify").get_attribute("href") == f"/appointments/{visit}/modify"
        assert await there.get_by_role("link", name="Cancel").get_attribute("href") == f"/appointments/{visit}/cancel"


async def test_a5_in_progress_shows_modify_greyed_with_its_reason(chromium: Browser, town: Town, home: Household) -> None:
    visit = await home.visit(State.IN_PROGRESS, started_at=town.house.clock())
    async with visiting(chromium, town, town.world.customer, **PLAIN) as anna:
        await anna.open("/")
        grey = anna.page.locator(f"#a-{visit} [aria-disabled=true]")
        assert (await grey.inner_text()).startswith("Modify")
        described = await grey.get_attribute("aria-describedby")
        assert await anna.page.locator(f"#{described}").inner_text() == "Work has started, so this visit can’t be changed."
        assert await anna.page.locator(f"#a-{visit}").get_by_role("link", name="Cancel").count() == 0
        await anna.open(f"/appointments/{visit}/cancel")
        await anna.sees("Work has started, so this visit can’t be changed.")
        assert await anna.page.get_by_role("button", name="Cancel appointment").count() == 0


async def test_a6_what_settings_forbid_is_greyed_with_its_reason(chromium: Browser, town: Town, home: Household) -> None:
    visit = await home.visit(State.SCHEDULED, arrival_at=town.house.clock() + timedelta(hours=5))
    await home.set("modify_until_h", 24)
    await home.set("cancel_allowed", False)
    async with visiting(chromium, town, town.world.customer, **PLAIN) as anna:
        await anna.open("/")
        assert await anna.page.locator(f"#a-{visit} [aria-disabled=true]").count() == 2
        said = await row(anna, visit)
        assert "A visit can be moved until 24 hours before arrival." in said
        assert "Visits can’t be canceled here." in said


@pytest.mark.parametrize("look", [PLAIN, SCRIPTED], ids=["plain", "phone"])
async def test_a7_on_the_way_it_is_canceled_after_a_second_yes(
    chromium: Browser, town: Town, home: Household, look: dict[str, Any]
) -> None:
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    async with visiting(chromium, town, town.world.customer, **look) as anna:
        page = anna.page
        await anna.open("/")
        await anna.sees("Active appointment")
        assert await page.get_by_role("link", name="Modify").count() == 0
        await page.get_by_role("link", name="Cancel this visit").click()
        await anna.sees("Maya is already on the way.")
        await anna.fine(look.get("java_script_enabled", True))
        await page.get_by_label("Why are you canceling?").fill("It works again")
        await page.get_by_role("button", name="Cancel appointment").click()
        assert (await home.appointment(visit)).state is State.TRAVELING
        await page.get_by_role("checkbox").check()
        await page.get_by_role("button", name="Cancel appointment").click()
        await anna.sees("Your visit is canceled.")
        assert (await home.appointment(visit)).state is State.CANCELED


async def test_a_visit_that_goes_on_takes_no_dialog_away_from_under_ones_hands(
    chromium: Browser, town: Town, home: Household
) -> None:
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    async with visiting(chromium, town, town.world.customer, **SCRIPTED) as anna:
        await anna.open("/")
        await anna.sees("Live")
        await anna.page.get_by_role("link", name="Cancel this visit").click()
        await anna.page.get_by_label("Why are you canceling?").fill("It works again")
        await until(lambda: visit in town.house.hub.channels)
        await town.step(visit, Step.ARRIVE)
        await anna.page.get_by_role("checkbox").check()
        await anna.page.get_by_role("button", name="Cancel appointment").click()
        await anna.sees("Work has started, so this visit can’t be changed.")
        assert (await home.appointment(visit)).state is State.IN_PROGRESS


async def test_a9_the_second_tab_sees_what_the_first_one_did(chromium: Browser, town: Town, home: Household) -> None:
    booked = await home.book()
    async with visiting(chromium, town, town.world.customer, **SCRIPTED) as anna:
        page = anna.page
        await anna.open(f"/appointments/{booked.id}/modify")
        await page.locator(".day").nth(4).click()
        await expect(page.locator(".day").nth(4)).to_have_attribute("aria-pressed", "true")
        await page.locator(".slot").nth(12).click()
        await page.locator("button[name=save]:visible").wait_for()
        await moving.move(town.house, home.anna, booked.id, booked.arrival_at + timedelta(hours=2), version=booked.version)
        await page.locator("button[name=save]:visible").click()
        await anna.sees("This appointment was moved in the meantime:")
        await anna.sees("Nothing of yours was saved.")
        await anna.accessible()
        assert (await home.appointment(booked.id)).arrival_at == booked.arrival_at + timedelta(hours=2)


async def test_the_own_time_is_said_alike_by_the_server_and_by_the_page(chromium: Browser, town: Town) -> None:
    dice = random.Random(7)
    zones = ["Europe/Helsinki", "Asia/Kathmandu", "America/St_Johns", "Pacific/Auckland", "Pacific/Apia", "UTC", "Europe/Dublin"]
    cases = [
        (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * dice.randrange(70_000)), *dice.choices(zones, k=2))
        for _ in range(300)
    ]
    async with visiting(chromium, town, town.world.customer, **SCRIPTED) as anna:
        await anna.open("/")
        said = await anna.page.evaluate(
            "async ([source, cases]) => { const { ownWords } = await import(source);"
            " return cases.map(([at, zone, own]) => ownWords(at, zone, own)); }",
            [portal_assets().url("js/ownzone.js"), [(at.timestamp() * 1000, zone, own) for at, zone, own in cases]],
        )
    assert said == [own_words(at, zone, own) for at, zone, own in cases]
    assert sum(each is not None for each in said) > 200
