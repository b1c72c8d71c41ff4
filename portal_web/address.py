"""The address of an account (O9): typed, chosen among what was found or set as a pin on the map, then confirmed."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.forms import Errors, text
from portal_web.pages import Pages
from tracker.actions import addresses
from tracker.actions.people import customers
from tracker.actions.people.customers import Place
from tracker.domain.appointments import STAFF, Role
from tracker.domain.geo import Point
from tracker.errors import BadInput
from tracker.records.customers import Account
from tracker.roads.finding import Candidate
from tracker.web.guard import actor_of, door, house_of
from tracker.web.tiles import StreetMap


@dataclass(frozen=True, slots=True)
class AddressDoors:
    """`/accounts/{account}/address`. What was typed is posted: no address stands in an address."""

    pages: Pages
    streets: StreetMap

    def routes(self) -> list[BaseRoute]:
        """For staff, and for the account's own people while it has no address."""
        at, roles = "/accounts/{account}/address", STAFF | {Role.CUSTOMER}
        return [
            door(at, self.form, roles=roles, name="address"),
            door(f"{at}/find", self.find, roles=roles, methods=("POST",), name="address.find"),
            door(at, self.save, roles=roles, methods=("POST",), name="address.post"),
        ]

    async def form(self, request: Request) -> Response:
        """The address as it is, and where to type another."""
        return await self._page(request)

    async def find(self, request: Request) -> Response:
        """What may have been meant, to choose from."""
        typed = text(await request.form(), "typed")
        found = await addresses.find(house_of(request), actor_of(request), typed)
        return await self._page(request, typed=typed, found=found, searched=True)

    async def save(self, request: Request) -> Response:
        """Keep what was confirmed: one of those found, or a pin with its words."""
        form = await request.form()
        said = {name: text(form, name) for name in ("choice", "address", "lat", "lon")}
        try:
            place = _place(said)
            await customers.give_place(house_of(request), actor_of(request), request.path_params["account"], place)
        except BadInput as refusal:
            errors = {str(refusal.details.get("field", "address")): refusal.sentence}
            return await self._page(request, 422, typed=said["address"], pin=said, errors=errors)
        return RedirectResponse(f"{request.url.path}?saved=1", 303)

    async def _page(
        self,
        request: Request,
        status: int = 200,
        *,
        typed: str = "",
        found: list[Candidate] | None = None,
        searched: bool = False,
        pin: dict[str, str] | None = None,
        errors: dict[str, str] | None = None,
    ) -> Response:
        house, actor = house_of(request), actor_of(request)
        account = (await customers.customer(house, actor, request.path_params["account"])).account
        return self.pages.answer(
            request,
            "address.html",
            status,
            here="address",
            account=account,
            may_change=actor.staff or account.lat is None,
            typed=typed,
            found=found or [],
            searched=searched,
            pin=pin or {"address": typed, "lat": "", "lon": ""},
            errors=Errors(errors or {}),
            saved="saved" in request.query_params,
            basemap=self.streets.describe(),
            centre=_centre(account, found or []),
            now=house.clock(),
        )


def _place(said: dict[str, str]) -> Place:
    """What was confirmed; `BadInput` with ``field`` where something is missing."""
    if said["choice"] and said["choice"] != "pin":
        lat, _, rest = said["choice"].partition(" ")
        lon, _, address = rest.partition(" ")
    else:
        lat, lon, address = said["lat"], said["lon"], said["address"]
    try:
        point = Point(float(lat.replace(",", ".")), float(lon.replace(",", ".")))
    except ValueError:
        raise BadInput("Choose one of the addresses, or set the pin on the map.", field="pin") from None
    if not address.strip():
        raise BadInput("Say in words where this is: street and number, town.", field="address")
    return Place(address, point)


def _centre(account: Account, found: list[Candidate]) -> list[float] | None:
    """Where the map begins: at the best find, else at the address as it is."""
    if found:
        return [found[0].lat, found[0].lon]
    return [account.lat, account.lon] if account.lat is not None and account.lon is not None else None
