"""Cookies, origins and form tokens: whose session or link a request shows, and whether it comes from our own pages."""

import hmac
import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from tracker.actions.house import House
from tracker.actions.people import accounts, links, tokens
from tracker.addresses import PublicAddress
from tracker.domain.accounts import ANONYMOUS, Actor
from tracker.domain.appointments import Role
from tracker.domain.networks import one_line
from tracker.errors import BadToken, ForeignOrigin, LinkInactive, NulCharacter

FORM_FIELD = "form_token"
SOME_HOLDER = Actor(Role.LINK_HOLDER)
"""Somebody with a link, before it is said to which appointment: of no use for any."""
MOST_LINKS = 200
"""Cookies of links that are looked at in one request: more than a browser keeps for one site, dead ones among them."""
LINK_COOKIE_S = 180 * 86_400
"""How long a browser keeps a link's cookie."""


def network_of(connection: HTTPConnection) -> str:
    """The line a request came from, for counting tries: many addresses of one line are one."""
    return one_line(connection.client.host) if connection.client else "-"


class Guard:
    """Cookies, origins and form tokens of one installation."""

    def __init__(self, house: House, public: PublicAddress) -> None:
        self.house = house
        self.public = public
        prefix = "__Host-" if public.secure else ""  # browsers drop __Host- cookies that come over plain http
        self.cookie, self.form_cookie = f"{prefix}tt", f"{prefix}tt-form"

    # -- the session ---------------------------------------------------------------------------------------------------

    async def actor(self, connection: HTTPConnection) -> Actor:
        """Whose session the cookie opens; anonymous if there is none or it ended."""
        token = connection.cookies.get(self.cookie)
        return (await accounts.who(self.house, token) if token else None) or ANONYMOUS

    async def bearer(self, connection: HTTPConnection) -> Actor:
        """The phone or program whose token stands in the Authorization header; `BadToken`.

        No cookie is read: no other site can send this header.
        """
        scheme, _, token = connection.headers["authorization"].partition(" ")
        known = tokens.program_of if token.strip().startswith(tokens.PREFIX) else accounts.device_of
        actor = await known(self.house, token.strip()) if scheme.lower() == "bearer" else None
        if actor is None:
            raise BadToken
        return actor

    def remember(self, response: Response, token: str, expires_at: datetime) -> None:
        """Give the browser its session."""
        self._set(response, self.cookie, token, expires=expires_at)

    def forget(self, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(self.cookie, path="/", secure=self.public.secure, httponly=True, samesite="lax")

    def _set(self, response: Response, name: str, value: str, **lasts: Any) -> None:
        secure = self.public.secure
        response.set_cookie(name, value, path="/", secure=secure, httponly=True, samesite="lax", **lasts)

    # -- the holder of a link ------------------------------------------------------------------------------------------

    async def holder(self, connection: HTTPConnection, appointment: str, actor: Actor) -> Actor:
        """``actor``, or the holder of this appointment's link if that opens what the actor may not see by themselves.

        `LinkInactive` for somebody who shows a link's cookie that opens nothing (any more), and nothing else.
        """
        token = connection.cookies.get(self.link_cookie(appointment))
        nobody = actor.person is None
        if token is None or not (nobody or not await links.sees(self.house, actor, appointment)):
            return actor
        holder = await links.holder_of(self.house, token, appointment)
        if holder is None and nobody:
            raise LinkInactive
        return holder or actor

    async def any_holder(self, connection: HTTPConnection) -> Actor:
        """The holder of some link among the cookies, of which one is not known yet; anonymous without one."""
        tokens = [value for name, value in connection.cookies.items() if name.startswith(self.link_cookie(""))][:MOST_LINKS]
        return SOME_HOLDER if tokens and await links.holds_any(self.house, tokens) else ANONYMOUS

    def link_cookie(self, appointment: str) -> str:
        """The name of the cookie for one appointment's link: each has its own, so that a second link leaves the first."""
        return f"{self.cookie}-v-{appointment}"

    def give_link(self, response: Response, appointment: str, token: str) -> None:
        """Let this browser open the appointment until the link ends; when that is, is asked each time."""
        self._set(response, self.link_cookie(appointment), token, max_age=LINK_COOKIE_S)

    # -- where a request comes from ------------------------------------------------------------------------------------

    def check_origin(self, connection: HTTPConnection) -> None:
        """`ForeignOrigin` unless a browser says the request comes from our own pages (Fetch Metadata and Origin).

        One of the two must be there: every browser of the last years sends Origin with what changes something.
        """
        site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
        if site not in {None, "same-origin"} or origin not in {None, *self.public.origins} or site is origin is None:
            raise ForeignOrigin

    def form_token(self, request: Request) -> str:
        """What a form of ours carries in its hidden field ``form_token``; bound to the session, or to a cookie of its own."""
        return hmac.new(self.house.secret, b"form:" + self._binding(request).encode(), sha256).hexdigest()

    async def check_form(self, request: Request) -> FormData:
        """The posted form; `ForeignOrigin` if it does not carry the token, `NulCharacter`."""
        form = await request.form(max_files=1, max_fields=200)
        said = form.get(FORM_FIELD)
        if not isinstance(said, str) or not hmac.compare_digest(said.encode(), self.form_token(request).encode()):
            raise ForeignOrigin
        if any(isinstance(part, str) and "\x00" in part for pair in form.multi_items() for part in pair):
            raise NulCharacter
        return form

    def _binding(self, request: Request) -> str:
        known = request.cookies.get(self.cookie) or request.cookies.get(self.form_cookie)
        if known:
            return known
        if not hasattr(request.state, "new_binding"):
            request.state.new_binding = secrets.token_urlsafe(32)
        return str(request.state.new_binding)

    def finish(self, request: Request, response: Response) -> None:
        """Send the cookie a form's token was bound to, if it was made for this answer."""
        binding = getattr(request.state, "new_binding", None)
        if binding:
            response.set_cookie(self.form_cookie, binding, path="/", secure=self.public.secure, httponly=True, samesite="strict")
