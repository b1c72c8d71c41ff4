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
from tracker.web.guard import actor_of, door, house_of
from tracker.web.health import parts_of


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
            Part("Database", found["records"], found["records"] == "ok"),
            Part("Live positions", found["live"], found["live"] == "ok"),
            Part("Roads", f"arrival times by {house.router.name}", ok=True),
            letters_part(await mailbag(house), zone_for(actor_of(request))),
        ]
        return self.pages.answer(request, "health.html", here="health", parts_now=parts)


def letters_part(bag: Mailbag, zone: str) -> Part:
    """The letters in words."""
    said = []
    if bag.waiting and bag.oldest:
        since = f"{day(bag.oldest, zone)}, {clock(bag.oldest, zone)} ({zone})"
        said.append(f"{bag.waiting} waiting since {since}")
    if bag.failed:
        said.append(f"{bag.failed} could not be sent")
    return Part("Letters", "; ".join(said) or "ok", bag.ok)
