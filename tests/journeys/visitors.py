"""People in front of a browser, who notice everything that is wrong with a page."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_core_python.async_playwright import Axe
from playwright.async_api import Browser, ConsoleMessage, Page, Request

from tests.portal_web.living import Town
from tracker.records.people import Person

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 800}

ONLY_WHAT_IS_WRONG = {"resultTypes": ["violations"]}
"""Every rule is asked; what is right about a page is not described, node by node, which took longer than the asking."""

UNTIL_STILL = """
  Promise.all(document.getAnimations()
    .filter((each) => Number.isFinite(each.effect.getComputedTiming().endTime))
    .map((each) => each.finished.catch(() => null)))
"""
"""Colours that still fade are not those of the page; what turns for ever is not waited for."""

LISTEN_FOR_VIOLATIONS = """
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.violations.push(event.violatedDirective + " " + event.blockedURI);
  });
"""


@dataclass
class Visitor:
    """One tab, and what it complained about."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def become(self, town: Town, person: Person | None) -> None:
        """Somebody else sits down at this browser, or nobody who is signed in."""
        room = self.page.context
        await room.clear_cookies()
        if person:
            await room.add_cookies([{"name": "tt", "value": await town.token_of(person), "url": town.url}])

    async def open(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def sees(self, text: str, seconds: float = 30) -> None:
        """Wait until this stands somewhere in what is shown."""
        await self.page.get_by_text(text).first.wait_for(state="visible", timeout=seconds * 1000)

    async def panel(self) -> str:
        """All words of the panel."""
        return re.sub(r"\s+", " ", await self.page.locator("#status").inner_text())

    async def violations(self) -> list[str]:
        found: list[str] = await self.page.evaluate("window.violations")
        return found

    def foreign(self) -> list[str]:
        """Requests that left our own address."""
        own = (self.url + "/", self.url.replace("http", "ws", 1) + "/")
        return [each for each in self.asked if not each.startswith(own)]

    async def unblemished(self) -> None:
        """No word in the console, no violated policy, no foreign request."""
        assert self.errors == []
        assert await self.violations() == []
        assert self.foreign() == []

    async def fine(self, scripted: bool) -> None:
        """Accessible and unblemished, as far as can be asked where no script runs."""
        if scripted:
            await self.accessible()
            await self.unblemished()

    async def accessible(self) -> None:
        """axe-core finds nothing, WCAG 2.2 A and AA and best practice; and nothing needs sideways scrolling."""
        await self.page.evaluate(UNTIL_STILL)
        result: dict[str, Any] = await Axe().run(self.page, options=ONLY_WHAT_IS_WRONG)
        found = [f"{each['id']}: {node['html']}" for each in result["violations"] for node in each["nodes"]]
        assert not found, (self.page.url, found)
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@asynccontextmanager
async def visiting(chromium: Browser, town: Town, person: Person | None = None, **context: Any) -> AsyncIterator[Visitor]:
    """A fresh browser context, signed in as this person."""
    context.setdefault("viewport", DESKTOP)
    room = await chromium.new_context(**context)
    page = await room.new_page()
    visitor = Visitor(page, town.url)
    await visitor.become(town, person)

    def heard(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            visitor.errors.append(message.text)

    def asked(request: Request) -> None:
        visitor.asked.append(request.url)

    page.on("console", heard)
    page.on("pageerror", lambda error: visitor.errors.append(str(error)))
    page.on("request", asked)
    page.on("websocket", lambda socket: visitor.asked.append(socket.url))
    await page.add_init_script(LISTEN_FOR_VIOLATIONS)
    try:
        yield visitor
    finally:
        await room.close()  # the browser is everybody's
