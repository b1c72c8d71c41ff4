"""Redeeming an invitation (O4) and forgotten passwords (O6). Codes travel in fragments and posted forms only."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.forms import Errors, network_address, text
from portal_web.pages import Pages
from portal_web.sign_in import after_sign_in
from tracker.actions.people import accounts, invitations, resetting
from tracker.actions.people.accounts import SignedIn
from tracker.domain.appointments import Role
from tracker.errors import BadInvitation, BadReset, TooManyRequests, WeakPassword
from tracker.web.guard import EVERYBODY, actor_of, door, guard_of, house_of


@dataclass(frozen=True, slots=True)
class RedeemDoors:
    """`/redeem`, `/forgot` and `/reset`. Looking at them changes nothing, however often a mail scanner does (N7)."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For everybody; what changes anything is a POST."""
        return [
            door("/redeem", self.redeem_form, roles=EVERYBODY, name="redeem"),
            door("/redeem", self.redeem, roles=EVERYBODY, methods=("POST",), name="redeem.post"),
            door("/forgot", self.forgot_form, roles=EVERYBODY, name="forgot"),
            door("/forgot", self.forgot, roles=EVERYBODY, methods=("POST",), name="forgot.post"),
            door("/reset", self.reset_form, roles=EVERYBODY, name="reset"),
            door("/reset", self.reset, roles=EVERYBODY, methods=("POST",), name="reset.post"),
        ]

    async def redeem_form(self, request: Request) -> Response:
        """The empty form; the letter's link brings the code in its fragment."""
        return self._redeem_page(request)

    async def redeem(self, request: Request) -> Response:
        """Create the sign-in, or say at each field what to mend; code and e-mail stay, the password does not."""
        form = await request.form()
        code, email, password = (text(form, name) for name in ("code", "email", "password"))
        try:
            signed = await invitations.redeem(
                house_of(request),
                code,
                email,
                password,
                address=network_address(request),
                user_agent=request.headers.get("user-agent"),
            )
        except (BadInvitation, WeakPassword, TooManyRequests) as refusal:
            return self._redeem_page(request, int(refusal.status), code=code, email=email, errors=_errors(refusal))
        return await _signed_in(request, signed)

    async def forgot_form(self, request: Request) -> Response:
        """Asks for the address."""
        return self.pages.answer(request, "forgot.html", sent=False, email="", error=None)

    async def forgot(self, request: Request) -> Response:
        """The same answer for every address."""
        email = text(await request.form(), "email")
        try:
            await resetting.ask(house_of(request), email, address=network_address(request))
        except TooManyRequests as refusal:
            return self.pages.answer(request, "forgot.html", int(refusal.status), sent=False, email=email, error=refusal.sentence)
        return self.pages.answer(request, "forgot.html", sent=True, email="", error=None)

    async def reset_form(self, request: Request) -> Response:
        """The empty form; the letter's link brings the code in its fragment."""
        return self._reset_page(request)

    async def reset(self, request: Request) -> Response:
        """Set the new password; every other session has ended when this is answered."""
        form = await request.form()
        code, password = text(form, "code"), text(form, "password")
        address, agent = network_address(request), request.headers.get("user-agent")
        try:
            signed = await resetting.reset(house_of(request), code, password, address=address, user_agent=agent)
        except (BadReset, WeakPassword, TooManyRequests) as refusal:
            return self._reset_page(request, int(refusal.status), code=code, errors=_errors(refusal))
        return await _signed_in(request, signed)

    def _redeem_page(
        self, request: Request, status: int = 200, *, code: str = "", email: str = "", errors: Mapping[str, str] | None = None
    ) -> Response:
        return self.pages.answer(request, "redeem.html", status, code=code, email=email, errors=Errors(errors or {}))

    def _reset_page(
        self, request: Request, status: int = 200, *, code: str = "", errors: Mapping[str, str] | None = None
    ) -> Response:
        return self.pages.answer(request, "reset.html", status, code=code, errors=Errors(errors or {}))


def _errors(refusal: BadInvitation | BadReset | WeakPassword | TooManyRequests) -> dict[str, str]:
    match refusal:
        case WeakPassword():
            return {"password": refusal.sentence}
        case TooManyRequests():
            return {"form": refusal.sentence}
    weak = refusal.details.get("password")
    return {"code": refusal.sentence} | ({"password": str(weak)} if weak else {})


async def _signed_in(request: Request, signed: SignedIn) -> Response:
    """The new session's cookie; whoever was signed in here before is so no longer."""
    if actor_of(request).role is not Role.ANONYMOUS:
        await accounts.sign_out(house_of(request), actor_of(request))
    answer = RedirectResponse(after_sign_in(signed, "/"), 303)
    guard_of(request).remember(answer, signed.token, signed.expires_at)
    return answer
