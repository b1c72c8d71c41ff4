"""The own details (O5) and the choice between several accounts (O3)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.forms import Errors, text
from portal_web.pages import Pages
from portal_web.sign_in import own_path
from portal_web.zones import areas
from tracker.actions.people import accounts, profiles
from tracker.actions.people.profiles import Profile
from tracker.domain.appointments import Role
from tracker.domain.tongues import names
from tracker.errors import BadInput
from tracker.web.guard import SIGNED_IN, actor_of, door, house_of


@dataclass(frozen=True, slots=True)
class ProfileDoors:
    """`/profile` and `/account`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For those signed in; the choice of an account for customers."""
        return [
            door("/profile", self.form, roles=SIGNED_IN, name="profile"),
            door("/profile", self.save, roles=SIGNED_IN, methods=("POST",), name="profile.post"),
            door("/account", self.choose, roles={Role.CUSTOMER}, methods=("POST",), name="account.post"),
        ]

    async def form(self, request: Request) -> Response:
        """The details as they are."""
        profile = await profiles.profile_of(house_of(request), actor_of(request))
        first, saved = (name in request.query_params for name in ("first", "saved"))
        return self._page(request, profile, own_path(request.query_params.get("next")), first=first, saved=saved)

    async def save(self, request: Request) -> Response:
        """Save them; the first time go on to where the person wanted to be."""
        house, actor, form = house_of(request), actor_of(request), await request.form()
        said = {name: text(form, name) for name in ("name", "phone", "zone", "locale")}
        onward, first = own_path(text(form, "next")), text(form, "first") == "1"
        try:
            await profiles.save_profile(house, actor, **said)
        except BadInput as refusal:
            known = await profiles.profile_of(house, actor)
            errors = {str(refusal.details.get("field", "name")): refusal.sentence}
            shown = Profile(known.email, said["name"], said["phone"], said["zone"], said["locale"])
            return self._page(request, shown, onward, int(refusal.status), first=first, errors=errors)
        return RedirectResponse(onward if first else "/profile?saved=1", 303)

    async def choose(self, request: Request) -> Response:
        """Look at another account's appointments."""
        await accounts.choose_account(house_of(request), actor_of(request), text(await request.form(), "account"))
        return RedirectResponse("/", 303)

    def _page(
        self,
        request: Request,
        profile: Profile,
        onward: str,
        status: int = 200,
        *,
        first: bool,
        saved: bool = False,
        errors: dict[str, str] | None = None,
    ) -> Response:
        return self.pages.answer(
            request,
            "profile.html",
            status,
            here="profile",
            profile=profile,
            onward=onward,
            first=first,
            saved=saved,
            errors=Errors(errors or {}),
            languages=names(),
            areas=areas(house_of(request).clock().date()),
        )
