"""Feedback from the completed page and from the past appointments, with and without script; then staff read it (A8, M1)."""

from typing import Any

import pytest
from playwright.async_api import Browser

from tests.journeys.visitors import DESKTOP, PHONE, visiting
from tests.portal_web.living import Town
from tracker.domain.appointments import Step
from tracker.records import settings

pytestmark = pytest.mark.journey

LOOKS: list[dict[str, Any]] = [
    {"viewport": PHONE, "color_scheme": "light"},
    {"viewport": DESKTOP, "color_scheme": "dark", "java_script_enabled": False},
]


async def completed(town: Town) -> str:
    visit = await town.appointment()
    for step in (Step.START_TRAVEL, Step.ARRIVE, Step.COMPLETE):
        await town.step(visit, step)
    return visit


@pytest.mark.parametrize("look", LOOKS, ids=["phone", "no script"])
async def test_said_changed_and_read(chromium: Browser, town: Town, look: dict[str, Any]) -> None:
    visit, scripted = await completed(town), look.get("java_script_enabled", True)
    async with visiting(chromium, town, town.world.customer, **look) as anna:
        page = anna.page
        await anna.open("/past")
        await anna.fine(scripted)
        await page.get_by_role("link", name="Send feedback").click()
        await anna.sees("How was this visit?")
        await anna.fine(scripted)
        await anna.open(f"/appointments/{visit}/live")
        await anna.sees("Seen by the service team. You can change it until they read it.")
        await anna.fine(scripted)
        await page.get_by_label("What should we know?").fill("The van was <clean>.\nThank you")
        if scripted:
            await anna.sees("30 of 1000")
        await page.get_by_role("radio", name="4 Good").check(force=True)
        await page.get_by_role("button", name="Send feedback").click()
        await anna.sees("Your feedback was sent")
        await anna.sees("The van was <clean>.")
        assert await page.get_by_role("img", name="4 of 5, good").count() == 1
        await anna.fine(scripted)
        await anna.open("/past")
        await page.get_by_role("link", name="Change feedback").click()
        assert await page.get_by_role("radio", name="4 Good").is_checked()
        await page.get_by_role("radio", name="1 Poor").check(force=True)
        await page.get_by_role("button", name="Send feedback").click()
        await anna.sees("1 of 5, poor")
        async with visiting(chromium, town, town.world.dispatcher, **look) as desk:
            await desk.open(f"/appointments/{visit}/live")
            await desk.sees("not read yet")
            assert "<clean>" not in await desk.panel()
            await desk.fine(scripted)
            await desk.page.get_by_role("button", name="Read the feedback").click()
            await desk.sees("The van was <clean>.")
            await desk.fine(scripted)
        await anna.open(f"/appointments/{visit}/feedback")
        await anna.sees("Your feedback has been read, so it can’t be changed any more.")
        await anna.open("/past")
        await anna.sees("Feedback sent")


async def test_not_asked_for_where_it_is_off_or_the_visit_canceled(chromium: Browser, town: Town) -> None:
    canceled, visit = await town.appointment(), await completed(town)
    await town.cancel(canceled, "away")
    async with visiting(chromium, town, town.world.customer) as anna:
        await anna.open(f"/appointments/{canceled}/live")
        await anna.sees("This visit is canceled")
        assert await anna.page.get_by_text("feedback").count() == 0
        await anna.open(f"/appointments/{canceled}/feedback")
        await anna.sees("Feedback can be sent when the visit is completed.")
        await anna.open(f"/appointments/{visit}/feedback")
        await anna.page.evaluate("document.querySelector('form[data-feedback]').noValidate = true")
        await anna.page.get_by_role("button", name="Send feedback").click()
        await anna.sees("Not sent yet")
        assert await anna.page.get_by_role("link", name="Choose a number from 1 to 5.").count() == 1
        await anna.accessible()
        async with town.house.db.transaction() as tx:
            await settings.write(tx, "surveys", False, "test", town.house.clock())
        await town.house.settings.refresh(town.house.db)
        await anna.page.get_by_role("radio", name="5 Great").check(force=True)
        await anna.page.get_by_role("button", name="Send feedback").click()
        await anna.sees("Feedback is not asked for just now.")
        for path in ("/past", f"/appointments/{visit}/live"):
            await anna.open(path)
            await anna.sees("Completed")
            assert await anna.page.get_by_text("feedback").count() == 0
