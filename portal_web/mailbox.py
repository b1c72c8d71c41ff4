"""The demo's mailbox as pages: letters as they arrive, each as it looks and as text. Only a demo has these doors."""

from dataclasses import dataclass
from datetime import datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from portal_web.pages import Pages
from tracker.demo.mailbox import Kept, Mailbox
from tracker.errors import NotFound
from tracker.web.guard import EVERYBODY, door

SHOWN = 50
LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""A letter brings its own style, as mail programs need it; it can load, run and send nothing."""


@dataclass(frozen=True, slots=True)
class MailboxDoors:
    """`/demo/mailbox` and the letters in it."""

    pages: Pages
    mailbox: Mailbox

    def routes(self) -> list[BaseRoute]:
        """For everybody: the people of a demo are invented."""
        at = "/demo/mailbox"
        return [
            door(at, self.all, roles=EVERYBODY, name="mailbox"),
            door(at + "/{letter}", self.one, roles=EVERYBODY, name="mailbox.letter"),
            door(at + "/{letter}/text", self.text, roles=EVERYBODY, name="mailbox.text"),
        ]

    async def all(self, request: Request) -> Response:
        """The newest letters first."""
        letters = await run_in_threadpool(self._newest)
        return self.pages.answer(request, "mailbox.html", letters=letters)

    async def one(self, request: Request) -> Response:
        """A letter as it looks."""
        letter = await self._letter(request)
        return HTMLResponse(letter.html, headers={"Content-Security-Policy": LETTER_CSP, "Referrer-Policy": "same-origin"})

    async def text(self, request: Request) -> Response:
        """A letter as text, with its links."""
        letter = await self._letter(request)
        lines = [(line, line.startswith(("http://", "https://"))) for line in letter.text.splitlines()]
        return self.pages.answer(request, "mailbox_text.html", letter=letter, lines=lines)

    async def _letter(self, request: Request) -> Kept:
        found = await run_in_threadpool(self.mailbox.read, request.path_params["letter"])
        if found is None:
            raise NotFound
        return found

    def _newest(self) -> list[tuple[Kept, str, datetime]]:
        found = (self.mailbox.read(id) for id in self.mailbox.ids()[:SHOWN])
        return [(letter, letter.at.strftime("%H:%M:%S"), letter.at) for letter in found if letter is not None]
