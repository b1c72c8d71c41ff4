"""The own details (O5) and the choice between several accounts (O3)."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.forms import Errors, text
from portal_web.pages import Pages
from portal_web.sign_in import own_path
from portal_web.times import offset_words, zone_of
from tracker.actions.people import accounts, profiles
from tracker.actions.people.profiles import Profile
from tracker.domain.appointments import Role
from tracker.domain.tongues import names
from tracker.errors import BadInput
from tracker.web.guard import SIGNED_IN, actor_of, door, house_of

_AREAS = frozenset({"Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"})


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


@lru_cache(maxsize=4)
def areas(day: date) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every zone by its part of the world, as (name, words) with the offset of that day: ``Helsinki (UTC+2)``."""
    noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001 -- each zone's own noon
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name in sorted(available_timezones()):
        area, _, city = name.partition("/")
        if area in _AREAS and city:
            words = city.replace("_", " ").replace("/", ", ")
            found[area].append((name, f"{words} ({offset_words(noon.replace(tzinfo=zone_of(name)))})"))
    return sorted(found.items())
