"""A newcomer in a real browser: the letter's link, a password, the profile, home; later a forgotten password (O3–O6)."""

import re

import pytest
from playwright.async_api import Browser, Page

from tests.journeys.visitors import DESKTOP, PHONE, Visitor, visiting
from tests.portal_web.living import Town
from tests.portal_web.test_portal_identity import DESK, NEW, OTHER
from tracker.actions.letters.letter_log import Readable, read_letters
from tracker.actions.people import contacts
from tracker.commands.administration import OPERATOR

pytestmark = pytest.mark.journey


async def letter(town: Town, kind: str) -> Readable:
    """The newest letter of a kind, as it would be sent."""
    return next(one for one in await read_letters(town.house, OPERATOR, town.url) if one.letter.kind == kind)


def link_in(said: Readable, path: str) -> str:
    """The link with its code behind ``#``."""
    found = re.search(rf"https?://[^\s]+{path}#[0-9A-Z-]+", said.text)
    assert found, said.text
    return found[0]


async def code_is_gone(page: Page) -> None:
    """The code stands in its field, and nowhere in the address or the history."""
    assert "#" not in page.url
    assert await page.input_value("#c")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_from_the_letter_to_home_and_back_in_with_a_new_password(
    chromium: Browser, town: Town, viewport: dict[str, int]
) -> None:
    await contacts.add_contact(town.house, DESK, town.world.account, "kaisa@example.org", "Kaisa Kokeilu")
    async with visiting(chromium, town, None, viewport=viewport) as kaisa:
        await redeems(kaisa, link_in(await letter(town, "invitation"), "/redeem"))
        await kaisa.sees("Everything here is optional")
        await kaisa.accessible()
        await kaisa.page.get_by_role("link", name="Skip for now").click()
        await kaisa.sees("Hello, Kaisa")
        await kaisa.page.get_by_label("account menu of").click()
        await kaisa.sees("Where you are signed in")
        await kaisa.accessible()
        await kaisa.page.keyboard.press("Escape")
        assert not await kaisa.page.get_by_role("button", name="Sign out").is_visible()
        await kaisa.page.get_by_label("account menu of").click()
        await kaisa.page.get_by_role("button", name="Sign out").click()
        await forgets(kaisa)
        await chooses_anew(kaisa, link_in(await letter(town, "reset"), "/reset"))
        await kaisa.sees("Hello, Kaisa")
        assert "was changed" in (await letter(town, "changed")).subject
        await kaisa.unblemished()


async def redeems(kaisa: Visitor, link: str) -> None:
    page = kaisa.page
    await page.goto(link)
    await code_is_gone(page)
    await kaisa.accessible()
    assert await page.evaluate("document.activeElement.id") == "e"
    await page.fill("#e", "kaisa@example.org")
    await page.fill("#p", NEW)
    await page.get_by_role("button", name="Show").click()
    assert await page.get_attribute("#p", "type") == "text"
    await page.get_by_role("button", name="Create account").click()


async def forgets(kaisa: Visitor) -> None:
    page = kaisa.page
    await page.get_by_role("link", name="Forgot your password?").click()
    await kaisa.accessible()
    await page.fill("#e", "kaisa@example.org")
    await page.get_by_role("button", name="Send link").click()
    await kaisa.sees("Check your e-mail")
    await kaisa.accessible()


async def chooses_anew(kaisa: Visitor, link: str) -> None:
    await kaisa.page.goto(link)
    await code_is_gone(kaisa.page)
    await kaisa.accessible()
    await kaisa.page.fill("#p", OTHER)
    await kaisa.page.get_by_role("button", name="Save new password").click()


async def test_mistakes_are_brought_before_the_reader(chromium: Browser, town: Town) -> None:
    async with visiting(chromium, town, None, viewport=PHONE) as somebody:
        page = somebody.page
        await somebody.open("/redeem")
        await page.fill("#c", "K7QF-M2XD-9RT4")
        await page.fill("#e", "kaisa@example.org")
        await page.fill("#p", "password password")
        await page.get_by_role("button", name="Create account").click()
        await somebody.sees("Please check two things")
        assert await page.evaluate("document.activeElement.className") == "errsum"
        assert await page.title() == "Error: Redeem invitation · Technician Tracker"
        await page.get_by_role("link", name="This code isn’t active").click()
        assert await page.evaluate("document.activeElement.id") == "c"
        await somebody.accessible()
        assert await somebody.violations() == []


async def test_the_profile_proposes_the_devices_zone_the_first_time_only(chromium: Browser, town: Town) -> None:
    async with visiting(chromium, town, town.world.customer, timezone_id="Asia/Calcutta") as anna:
        await anna.open("/profile")
        assert await anna.page.input_value("#z") == ""
        await anna.open("/profile?first=1")
        assert await anna.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone") == "Asia/Calcutta"
        assert await anna.page.input_value("#z") == "Asia/Kolkata"  # its name now
        await anna.unblemished()
