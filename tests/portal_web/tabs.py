"""A browser without script: follows links, fills in the one form of a page, presses one of its buttons."""

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.portal_web.living import Town
from tracker.records.people import Person


class _Form(HTMLParser):
    """The fields and buttons of the form whose action is asked for, as a browser would send them."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.wanted, self.inside = action, False
        self.fields: dict[str, str] = {}
        self.buttons: list[tuple[str, str, str]] = []
        self.disabled: list[tuple[str, str]] = []
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = said.get("action") == self.wanted
        if not self.inside:
            return
        if tag == "input" and (said.get("type") not in {"radio", "checkbox"} or "checked" in said):
            self.fields[said["name"]] = said.get("value", "")
        elif tag == "textarea":
            self._text = said["name"]
            self.fields[self._text] = ""
        elif tag == "button" and "disabled" in said:
            self.disabled.append((said["name"], said.get("value", "")))
        elif tag == "button" and said.get("type") == "submit":
            self.buttons.append((said.get("name", ""), said.get("value", ""), said.get("formaction", self.wanted)))

    def handle_data(self, data: str) -> None:
        if self.inside and self._text:
            self.fields[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "textarea":
            self._text = None


@dataclass
class Page:
    """One answer, read."""

    tab: "Tab"
    answer: httpx.Response
    action: str

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        """All words, without markup."""
        return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", self.answer.text))).replace(" .", ".").replace(" ,", ",")

    @property
    def form(self) -> _Form:
        parsed = _Form(self.action)
        parsed.feed(self.answer.text)
        return parsed

    def values(self, name: str) -> list[str]:
        """What the buttons of this name would send."""
        return [value for each, value, _ in self.form.buttons if each == name]

    async def press(self, name: str, value: str | None = None, **changed: str) -> "Page":
        """Send the form by its first button of this name (and value), with some fields filled in."""
        button = next(one for one in self.form.buttons if one[0] == name and value in (None, one[1]))
        body = self.form.fields | changed | ({button[0]: button[1]} if button[0] else {})
        return await self.tab.post(urlsplit(button[2]).path or self.action, body, self.action)


@dataclass
class Tab:
    """One tab of a signed-in person; every address it asked for is kept."""

    town: Town
    token: str
    asked: list[str] = field(default_factory=list)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Accept": "text/html", "Sec-Fetch-Dest": "document", "Cookie": f"tt={self.token}", "Accept-Language": "en-GB"}

    async def get(self, path: str) -> Page:
        """Open an address; redirects are followed as a browser does."""
        self.asked.append(path)
        answer = await self.town.client.get(path, headers=self._headers)
        return await self._read(answer, urlsplit(path).path)

    async def post(self, path: str, body: dict[str, str], action: str) -> Page:
        """Send a form."""
        self.asked.append(path)
        return await self._read(await self.town.client.post(path, data=body, headers=self._headers), action)

    async def _read(self, answer: httpx.Response, action: str) -> Page:
        if answer.is_redirect:
            return await self.get(answer.headers["location"])
        return Page(self, answer, action)


async def tab_of(town: Town, person: Person) -> Tab:
    """A new tab, signed in: a session of its own."""
    return Tab(town, await town.token_of(person))


async def same_session(tab: Tab) -> Tab:
    """Another tab of the same browser."""
    return Tab(tab.town, tab.token)


def fields(page: Page, *names: str) -> dict[str, Any]:
    """Some fields of the page's form."""
    return {name: page.form.fields.get(name) for name in names}
