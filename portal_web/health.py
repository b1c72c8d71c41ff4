"""Staff's page of what does not work just now: records, live positions, roads, letters (O6)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from portal_web.pages import Pages
from portal_web.sign_in import zone_for
from portal_web.times import clock, day
from tracker.actions.letters.mailbag import Mailbag, mailbag
from tracker.domain.appointments import STAFF
from tracker.roads.fallback import FallbackRouter
from tracker.roads.router import Router
from tracker.web.guard import actor_of, door, house_of
from tracker.web.health import parts_of

_DATABASE = {
    "ok": "Everything is stored and found.",
    "away": "The database does not answer.",
    "not migrated": "The database waits for its update: run tracker migrate.",
}
_LIVE = {"ok": "Phones are heard, and maps move.", "away": "The live store does not answer: no map moves. Bookings work."}


@dataclass(frozen=True, slots=True)
class Part:
    """One line: what, how it is in words, and whether somebody must look."""

    name: str
    words: str
    ok: bool


@dataclass(frozen=True, slots=True)
class HealthDoors:
    """`/health`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For staff."""
        return [door("/health", self.page, roles=STAFF, name="health")]

    async def page(self, request: Request) -> Response:
        """Each part in a line."""
        house = house_of(request)
        found = await parts_of(house)
        parts = [
            Part("Accounts and appointments", _DATABASE.get(found["records"], found["records"]), found["records"] == "ok"),
            Part("Live positions", _LIVE.get(found["live"], found["live"]), found["live"] == "ok"),
            roads_part(house.router),
            letters_part(await mailbag(house), zone_for(actor_of(request))),
        ]
        return self.pages.answer(request, "health.html", here="health", parts_now=parts)


def roads_part(router: Router) -> Part:
    """Whether arrival times come from the roads. By distance is no fault where no roads are set up."""
    if isinstance(router, FallbackRouter) and router.road is None:
        return Part("Arrival times", "Estimated from the distance: no roads are set up.", ok=True)
    if isinstance(router, FallbackRouter) and not router.answering:
        return Part("Arrival times", "The roads do not answer: estimated from the distance until they do.", ok=False)
    return Part("Arrival times", "Worked out along the roads.", ok=True)


def letters_part(bag: Mailbag, zone: str) -> Part:
    """The letters in words."""
    said = []
    if bag.waiting and bag.oldest:
        since = f"{day(bag.oldest, zone)}, {clock(bag.oldest, zone)} ({zone})"
        said.append(f"{bag.waiting} waiting since {since}")
    if bag.failed:
        said.append(f"{bag.failed} could not be sent")
    return Part("Letters", "; ".join(said) or "Everything due has been sent.", bag.ok)
