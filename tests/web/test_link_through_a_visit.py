"""A link through its visit's life: it follows a move, letters leave it out while blocked, and it takes the feedback (M8, A8)."""

import hmac
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from portal_web.times import clock, day
from tests.portal_web.customers import Household, furnish
from tests.portal_web.living import living
from tests.post.catcher import Catcher, catcher
from tests.web.knocking import ADMIN, FORM, letter_link
from tracker.actions import surveys
from tracker.actions.booking import booking
from tracker.actions.letters.posting import Postman
from tracker.actions.people import link_care
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.appointments import Step
from tracker.domain.links import Kind
from tracker.records.appointments import Appointment

ZONE = "Europe/Helsinki"


@dataclass
class Reader:
    """Who has the link in a letter, and no sign-in."""

    home: Household
    caught: Catcher
    visit: Appointment
    token: str = ""

    async def post(self) -> str:
        """What the newest letter says, once it was sent."""
        assert await Postman(self.home.town.house).turn() == 1
        return self.caught.letters[-1].text

    async def knock(self, path: str, form: dict[str, str] | None = None, token: str = "") -> httpx.Response:
        """A page below the visit's, or a form of it, as the link's holder."""
        client, secret = self.home.town.client, self.home.town.house.secret
        headers = {"Cookie": f"tt-v-{self.visit.id}={token or self.token}; {FORM}", "Accept": "text/html"}
        at = f"/appointments/{self.visit.id}/{path}"
        client.cookies.clear()
        if form is None:
            return await client.get(at, headers=headers)
        signed = hmac.new(secret, b"form:" + FORM.partition("=")[2].encode(), "sha256").hexdigest()
        return await client.post(at, data=form | {"form_token": signed}, headers=headers)

    async def move(self, arrival: str) -> None:
        cookie = {"Cookie": f"tt={await self.home.town.token_of(self.home.town.world.customer)}"}
        path = f"/api/v1/appointments/{self.visit.id}/arrival"
        seen = await self.home.town.client.get(path.removesuffix("/arrival"), headers=cookie)
        cookie["If-Match"] = seen.headers["etag"]
        moved = await self.home.town.client.put(path, json={"arrival_at": arrival}, headers=cookie)
        assert moved.status_code == 200, moved.text


@pytest.fixture
async def reader(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Reader]:
    async with living(sqlite_url, redis_url, tmp_path) as town, catcher() as caught:
        home = await furnish(town)
        town.house.post = caught.post()
        found = Reader(home, caught, await home.book())
        found.token = token_in(await found.post())
        yield found


def token_in(letter: str) -> str:
    [token] = set(re.findall(r"/v#([-\w]{43})\s", letter))
    return str(token)


async def offered(reader: Reader) -> list[Any]:
    need = booking.Need(account=reader.home.account, service_type=reader.home.inspection, asset=reader.home.pump)
    found = await booking.times(reader.home.town.house, reader.home.anna, need)
    return [offer.arrival_at for one in found.days[3:] for offer in one.offers if offer.arrival_at != reader.visit.arrival_at]


def when(at: datetime) -> list[str]:
    return [day(at, ZONE), clock(at, ZONE)]


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def test_it_follows_a_move_and_letters_lead_to_the_sign_in_while_it_is_blocked(reader: Reader) -> None:
    house, (first, *_, last) = reader.home.town.house, await offered(reader)
    for said in when(reader.visit.arrival_at):
        assert said in text_of(await reader.knock("live"))
    await reader.move(first.isoformat())
    assert token_in(await reader.post()) == reader.token
    moved = text_of(await reader.knock("live"))
    assert all(said in moved for said in when(first))
    assert day(reader.visit.arrival_at, ZONE) not in moved
    [(link, _)] = await link_care.links_of(house, ADMIN, reader.visit.id)
    await link_care.block(house, ADMIN, link.id)
    await reader.move(last.isoformat())
    letter = await reader.post()
    assert "/v#" not in letter
    assert f"View appointment:\r\nhttps://portal.example.org/appointments/{reader.visit.id}/live" in letter
    assert (await reader.knock("live")).status_code == 404
    await link_care.unblock(house, ADMIN, link.id)
    again = text_of(await reader.knock("live"))
    assert all(said in again for said in when(last))


async def test_its_holder_says_once_how_it_was_and_the_family_never(reader: Reader) -> None:
    house, visit = reader.home.town.house, reader.visit.id
    family = await letter_link(house, visit, Kind.FAMILY)
    for step in (Step.ARRIVE, Step.COMPLETE):
        assert (await reader.knock("feedback", {"stars": "1"})).status_code == 409  # not yet
        await take_step(house, ADMIN, visit, Wish(step=step))
    assert "Send feedback" in text_of(await reader.knock("live"))
    assert "feedback" not in text_of(await reader.knock("live", token=family)).lower()
    assert (await reader.knock("feedback", {"stars": "1"}, token=family)).status_code == 403
    for stars, comment in (("2", "Late."), ("5", "But good.")):  # said anew, it is still one
        sent = await reader.knock("feedback", {"stars": stars, "comment": comment})
        assert (sent.status_code, sent.headers["location"]) == (303, f"/appointments/{visit}/live#feedback")
    shown = await reader.knock("live")
    assert "Thank you." in text_of(shown)
    said = (await surveys.said_of(house, [visit]))[visit]
    [link] = [one.id for one, _ in await link_care.links_of(house, ADMIN, visit) if one.kind is Kind.LETTER]
    assert (said.stars, said.comment, said.answered_by) == (5, "But good.", f"link_holder:{link}")
    await surveys.read(house, ADMIN, visit)
    assert (await reader.knock("feedback", {"stars": "1"})).status_code == 409
    assert (await surveys.said_of(house, [visit]))[visit].stars == 5
