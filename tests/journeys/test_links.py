"""A letter's link in a real browser: no sign-in, one visit, as long as it lasts (M8, N7, P1)."""

import re
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from tests.journeys.visitors import PHONE, visiting
from tests.portal_web.living import START, Town
from tests.portal_web.test_portal_identity import DESK
from tests.post.catcher import Catcher, catcher
from tests.world import PLACE
from tracker.actions.letters.posting import Postman
from tracker.actions.people import link_care
from tracker.domain.appointments import Step
from tracker.domain.geo import moved
from tracker.domain.letter_kinds import Kind
from tracker.post.server import Post
from tracker.records import appointments, customers, outbox

pytestmark = pytest.mark.journey


@dataclass
class Sent:
    """One visit whose letter was sent: the link in it, and where its page is."""

    appointment: str
    link: str
    page: str


async def sent(town: Town, caught: Catcher) -> Sent:
    """Anna's letter about a new visit, taken by the mail server."""
    visit = await town.appointment()
    async with town.house.db.transaction() as tx:
        [contact] = await customers.contacts_of(tx, town.world.account)
        found = await appointments.locked(tx, visit)
        assert found
        await appointments.change(tx, found, contact_id=contact.id)
        await outbox.add_for(tx, Kind.CONFIRMATION, visit, town.house.clock())
    town.house.post = Post(caught.server(), "tracker@example.org", town.url)
    await Postman(town.house).turn()
    return Sent(visit, link_in(caught), f"{town.url}/appointments/{visit}/live")


def link_in(caught: Catcher) -> str:
    """The link in the newest letter."""
    link = re.search(r"https?://\S+/v#\S+", caught.letters[-1].text)
    assert link
    return link[0]


async def test_the_letters_link_shows_one_visit_to_whom_it_was_sent_until_it_is_ended(chromium: Browser, town: Town) -> None:
    async with catcher() as caught, visiting(chromium, town, viewport=PHONE) as reader:
        first, second = await sent(town, caught), await sent(town, caught)
        for method in ("GET", "HEAD") * 25:  # a mail scanner
            assert (await town.client.request(method, "/v")).status_code == 200
        for one in (first, second):
            await reader.page.goto("about:blank")
            await reader.page.goto(one.link)
            await reader.page.wait_for_url(one.page)
        await reader.page.goto(first.page)  # the second link has not overwritten it
        await reader.sees("location is not shared yet")
        await reader.accessible()
        assert "#" not in reader.page.url
        await town.step(first.appointment, Step.START_TRAVEL)
        await town.ping(START)
        await reader.sees("Maya arrives between")
        stop = reader.page.get_by_role("link", name="Sign in to cancel it")
        assert await stop.get_attribute("href") == f"/appointments/{first.appointment}/cancel"
        await town.ping(moved(PLACE, 300, 900))
        assert await reader.page.get_by_role("link", name="Share view-only link").count() == 0
        held = await link_care.links_of(town.house, DESK, first.appointment)
        assert [one.opened for one, _ in held] == [1]
        reader.errors.clear()
        await link_care.end(town.house, DESK, held[0][0].id)
        await reader.sees("This link isn’t active")
        await reader.page.goto(second.page)
        await reader.sees("location is not shared yet")
        await reader.page.goto("about:blank")
        await reader.page.goto(first.link)
        await reader.sees("This link isn’t active")
        await reader.accessible()
        await reader.page.get_by_role("button", name="E-mail me a new link").click()
        await reader.sees("Check your e-mail")
        await reader.accessible()
        await Postman(town.house).turn()
        await reader.page.goto(link_in(caught))
        await reader.page.wait_for_url(first.page)
        await reader.page.goto("about:blank")
        await reader.page.goto(town.url + "/v")
        await reader.sees("Open it from your letter again")
        await reader.accessible()
    bare = (await town.client.get("/v")).text  # this browser shows no <noscript> while it is driven
    assert re.search(r"<noscript>\s*<section.*This link needs JavaScript.*</noscript>.*/sign-in", bare, re.DOTALL)


async def test_a_customer_makes_a_link_for_the_family_and_ends_it(chromium: Browser, town: Town) -> None:
    visit = await town.appointment()
    page = f"{town.url}/appointments/{visit}/live"
    async with visiting(chromium, town, town.world.customer, viewport=PHONE) as anna, visiting(chromium, town) as grandma:
        await anna.page.goto(page)
        await anna.page.get_by_role("link", name="Share view-only link").click()
        await anna.page.get_by_label("Who is it for?").fill("Grandma")
        await anna.page.get_by_role("button", name="Make a view-only link").click()
        await anna.sees("Not opened yet")
        await anna.fine(scripted=True)
        address = await anna.page.get_by_label("Address of the link: Grandma").input_value()
        await grandma.page.goto(address)
        await grandma.page.wait_for_url(page)
        await grandma.sees("location is not shared yet")
        assert await grandma.page.get_by_text("change or cancel").count() == 0
        await grandma.unblemished()
        await grandma.page.goto(f"{town.url}/appointments/{visit}/modify")
        assert "/sign-in" in grandma.page.url
        await grandma.page.goto(page)
        await anna.page.reload()
        await anna.sees("Opened once")
        await anna.page.get_by_role("button", name="End link").click()
        await anna.sees("The link is ended.")
        await grandma.sees("This link isn’t active")
