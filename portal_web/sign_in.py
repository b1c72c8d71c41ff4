"""Signing in and out, and the list of one's sessions (O7, O8). Everything works without script."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.browsers import browser_words
from portal_web.forms import network_address, text
from portal_web.pages import Pages
from portal_web.times import zone_words
from tracker.actions.people import accounts
from tracker.actions.people.accounts import SignedIn
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import BadCredentials, TooManyRequests
from tracker.web.guard import EVERYBODY, SIGNED_IN, actor_of, door, guard_of, house_of

LONGEST_NEXT = 500


@dataclass(frozen=True, slots=True)
class SignInDoors:
    """`/sign-in`, `/sign-out`, `/sessions`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """The form is for everybody, the rest for those signed in. What changes anything is a POST."""
        return [
            door("/sign-in", self.form, roles=EVERYBODY, name="sign_in"),
            door("/sign-in", self.sign_in, roles=EVERYBODY, methods=("POST",), name="sign_in.post"),
            door("/sign-out", self.sign_out, roles=SIGNED_IN, methods=("POST",), name="sign_out"),
            door("/sessions", self.sessions, roles=SIGNED_IN, name="sessions"),
            door("/sessions/end-others", self.end_others, roles=SIGNED_IN, methods=("POST",), name="sessions.end_others"),
            door("/sessions/{session}/end", self.end, roles=SIGNED_IN, methods=("POST",), name="sessions.end"),
        ]

    async def form(self, request: Request) -> Response:
        """The empty form; whoever is signed in already goes on."""
        onward = own_path(request.query_params.get("next"))
        if actor_of(request).role is not Role.ANONYMOUS:
            return RedirectResponse(onward, 303)
        return self._page(request, onward)

    async def sign_in(self, request: Request) -> Response:
        """Begin a session, or say in one sentence why not; the e-mail stays in its field, the password does not."""
        form = await request.form()
        onward = own_path(text(form, "next"))
        email, password = text(form, "email"), text(form, "password")
        address = network_address(request)
        try:
            signed = await accounts.sign_in(
                house_of(request), email, password, address=address, user_agent=request.headers.get("user-agent")
            )
        except (BadCredentials, TooManyRequests) as refusal:
            return self._page(request, onward, int(refusal.status), email=email, error=refusal.sentence)
        answer = RedirectResponse(after_sign_in(signed, onward), 303)
        guard_of(request).remember(answer, signed.token, signed.expires_at)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End this session; its sockets are closed before the answer is sent."""
        await accounts.sign_out(house_of(request), actor_of(request))
        answer = RedirectResponse("/sign-in", 303)
        guard_of(request).forget(answer)
        return answer

    async def sessions(self, request: Request) -> Response:
        """Where one is signed in."""
        actor = actor_of(request)
        found = await accounts.sessions_of(house_of(request), actor)
        listed = [(session, browser_words(session.user_agent), session.id == actor.session) for session in found]
        return self.pages.answer(
            request,
            "sessions.html",
            here="sessions",
            sessions=listed,
            ended=request.query_params.get("ended"),
            zone=zone_for(actor),
            zone_words=zone_words(zone_for(actor), *(session.seen_at for session in found)),
        )

    async def end(self, request: Request) -> Response:
        """End one session; ending this one is signing out."""
        session = request.path_params["session"]
        if session == actor_of(request).session:
            return await self.sign_out(request)
        await accounts.end_session(house_of(request), actor_of(request), session)
        return RedirectResponse("/sessions?ended=1", 303)

    async def end_others(self, request: Request) -> Response:
        """End all sessions but this one."""
        ended = await accounts.end_other_sessions(house_of(request), actor_of(request))
        return RedirectResponse(f"/sessions?ended={ended}", 303)

    def _page(self, request: Request, onward: str, status: int = 200, *, email: str = "", error: str | None = None) -> Response:
        return self.pages.answer(request, "sign_in.html", status, onward=onward, email=email, error=error)


def zone_for(actor: Actor, otherwise: str = "UTC") -> str:
    """The zone for times that belong to no address: the person's own, else that of the account they look at."""
    here = next((own.zone for own in actor.own if own.id == actor.account), None)
    return actor.zone or here or otherwise


def after_sign_in(signed: SignedIn, onward: str) -> str:
    """Where to go on: the first time by way of the profile page (O5)."""
    if not signed.first:
        return onward
    return "/profile?first=1" + ("" if onward == "/" else f"&next={quote(onward, safe='/')}")


def own_path(said: str | None) -> str:
    """A path of this site to go on to, else `/`: never another host, however it is written."""
    if not said or len(said) > LONGEST_NEXT or not said.startswith("/") or said.startswith(("//", "/\\")):
        return "/"
    return "/" if any(ord(char) < 33 or char == "\\" for char in said) else said


def sign_in_address(path: str) -> str:
    """The sign-in page that leads back to a path afterwards."""
    return "/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='/')}"
