"""The demo's mailbox as pages: letters as they arrive, each as it looks and as text. Only a demo has these doors."""

import re
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute

from portal_web.pages import Pages
from portal_web.sign_in import zone_for
from tracker.demo import cast
from tracker.demo.mailbox import Kept, Mailbox
from tracker.errors import NotFound
from tracker.web.guard import EVERYBODY, actor_of, door, house_of

SHOWN = 50
LETTER_CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""A letter brings its own style, as mail programs need it; it can load, run and send nothing."""

_BODY = re.compile(r"<body[^>]*>")
_WAY_BACK = (
    '<p lang="en" dir="ltr" style="margin:0;padding:12px 16px;background:#fdf0d5;color:#6b4200;'
    'background:light-dark(#fdf0d5,#33260d);color:light-dark(#6b4200,#f4cf85);font:14px/1.4 system-ui,sans-serif">'
    '<a href="/demo/mailbox" style="color:inherit">← Mailbox of the demo</a></p>'
)
"""What the page adds above a letter: the only way back where the browser shows no buttons of its own."""


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
        letters, zone = await run_in_threadpool(self._newest), zone_for(actor_of(request), cast.ZONE)
        return self.pages.answer(request, "mailbox.html", letters=letters, zone=zone, now=house_of(request).clock())

    async def one(self, request: Request) -> Response:
        """A letter as it looks."""
        letter = await self._letter(request)
        html = _BODY.sub(lambda body: body[0] + _WAY_BACK, letter.html, count=1)
        return HTMLResponse(html, headers={"Content-Security-Policy": LETTER_CSP, "Referrer-Policy": "same-origin"})

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

    def _newest(self) -> list[Kept]:
        found = (self.mailbox.read(id) for id in self.mailbox.ids()[:SHOWN])
        return [letter for letter in found if letter is not None]
