"""A new link asked for with a dead one: mailed to the contact the old one belonged to, and no answer tells whether (M8, N7)."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from tests.post.catcher import Catcher, catcher
from tests.web.knocking import ADMIN, FORM, Site, letter_link, whole_site
from tests.web.matrix import PERSONAS
from tests.world import Clock, World
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.people import contacts, link_again, link_care
from tracker.actions.trip.visits import Wish, take_step
from tracker.domain.appointments import Step
from tracker.domain.letter_kinds import Kind
from tracker.domain.links import Kind as LinkKind
from tracker.records import customers, outbox
from tracker.records.schema import appointments

ANNA = "anna@example.org"


@dataclass
class Desk:
    """What is served, with a mail server behind it."""

    site: Site
    caught: Catcher

    @property
    def house(self) -> House:
        return self.site.house

    @property
    def clock(self) -> Clock:
        clock = self.house.clock
        assert isinstance(clock, Clock)
        return clock

    async def visit(self) -> tuple[str, str, str]:
        """Anna's, whose confirmation was sent: its id, the link's token in her letter, and Anna's id."""
        visit = await self.site.world.appointment(arrival_at=self.clock.now + timedelta(hours=3))
        async with self.house.db.transaction() as tx:
            [anna] = await customers.contacts_of(tx, self.site.world.account)
            mine = appointments.c.id == visit
            await tx.change(appointments.update().where(mine).values(contact_id=anna.id, keep_informed=True))
            await outbox.add_for(tx, Kind.CONFIRMATION, visit, self.clock.now)
        [letter] = await self.post()
        return visit, token_in(letter), anna.id

    async def post(self) -> list[str]:
        """The texts of the letters that go out now, all of them to Anna."""
        before = len(self.caught.letters)
        await Postman(self.house).turn()
        came = self.caught.letters[before:]
        assert {one.recipient for one in came} <= {ANNA}
        return [one.text for one in came]

    async def ask(self, token: str = "", *, appointment: str = "", cookie: str = "") -> httpx.Response:
        """Press the button: on the page of the dead link, or on the visit's page with the link's cookie."""
        headers = {"Cookie": f"{FORM}; {cookie}" if cookie else FORM}
        form = {"form_token": self.site.form_token(FORM)} | ({"appointment": appointment} if appointment else {"token": token})
        self.site.client.cookies.clear()
        return await self.site.client.post("/v/new", data=form, headers=headers)

    async def end(self, visit: str) -> None:
        [link] = [one for one, _ in await link_care.links_of(self.house, ADMIN, visit) if not one.ended_at]
        await link_care.end(self.house, ADMIN, link.id)

    async def opens(self, token: str) -> int:
        self.site.client.cookies.clear()
        return (await self.site.client.post("/api/v1/links/open", json={"token": token})).status_code


def token_in(letter: str) -> str:
    found = re.search(r"/v#([-\w]{43})\s", letter)
    assert found, letter
    return found[1]


@pytest.fixture
async def desk(house: House, world: World, tmp_path: Path) -> AsyncIterator[Desk]:
    async with catcher() as caught, whole_site(house, world, tmp_path) as site:
        house.post = caught.post()
        yield Desk(site, caught)


async def test_who_has_a_dead_link_gets_a_new_one_by_letter_or_the_way_to_sign_in(desk: Desk) -> None:
    visit, old, _ = await desk.visit()
    await desk.end(visit)
    assert await desk.opens(old) == 404
    assert (await desk.ask(old)).status_code == 303
    [letter] = await desk.post()
    new = token_in(letter)
    assert (new != old, await desk.opens(new), await desk.opens(old)) == (True, 200, 404)
    assert letter.startswith("New link")
    [link] = [one for one, _ in await link_care.links_of(desk.house, ADMIN, visit) if not one.ended_at]
    await link_care.block(desk.house, ADMIN, link.id)
    desk.clock.move(minutes=15)
    await desk.ask(new)
    [blocked] = await desk.post()
    assert "/v#" not in blocked
    assert f"Sign in to see it:\r\nhttps://portal.example.org/appointments/{visit}/live" in blocked
    await link_care.unblock(desk.house, ADMIN, link.id)
    await take_step(desk.house, ADMIN, visit, Wish(step=Step.CANCEL, reason="over"))
    desk.clock.move(days=31)
    await desk.ask(new)
    [_, long_over] = await desk.post()  # the cancellation's own came first
    assert "/v#" not in long_over
    await link_care.extend(desk.house, ADMIN, link.id, desk.clock.now + timedelta(days=5))
    desk.clock.move(minutes=15)
    await desk.ask(new)
    assert token_in((await desk.post())[0]) == new


async def test_the_answer_and_the_work_are_the_same_whatever_is_known(desk: Desk) -> None:
    visit, old, anna = await desk.visit()
    family = await letter_link(desk.house, visit, LinkKind.FAMILY)
    nobodys = await letter_link(desk.house, visit)  # of no contact
    other, gone, _ = await desk.visit()
    moved = (await contacts.add_contact(desk.house, ADMIN, desk.site.world.account, "kaisa@example.org", "Kaisa")).contact.id
    async with desk.house.db.transaction() as tx:
        await tx.change(appointments.update().where(appointments.c.id == other).values(contact_id=moved))
    await Postman(desk.house).turn()  # Kaisa's invitation
    tokens = [old, family, nobodys, gone, secrets.token_urlsafe(32), "", "ä" * 300, "x" * 4_000]
    counted: list[str] = []
    said: list[tuple[int, bytes, Any]] = []
    work: list[list[str]] = []
    event.listen(
        desk.house.db.engine.sync_engine, "before_cursor_execute", lambda _c, _u, statement, *_: counted.append(statement)
    )
    for token in tokens:
        counted.clear()
        answer = await desk.ask(token)
        work.append([" ".join(one.split())[:60] for one in counted if "FROM settings" not in one])
        headers = {name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")}
        said.append((answer.status_code, answer.content, headers))
    assert said[0][0] == 303
    assert said[0][2]["location"] == "/v/new"
    assert [each for each in said if each != said[0]] == []
    assert [each for each in work if each != work[0]] == []
    shown = (await desk.site.client.get("/v/new")).text
    assert "Check your e-mail" in shown
    assert ANNA not in shown
    assert len(await desk.post()) == 1
    await contacts.remove_contact(desk.house, ADMIN, anna)
    desk.clock.move(minutes=15)
    await desk.ask(old)
    assert await desk.post() == []


async def test_letters_with_new_links_are_few_and_so_are_requests_from_one_address(desk: Desk) -> None:
    visit, old, _ = await desk.visit()
    await desk.end(visit)
    await asyncio.gather(*(desk.ask(old) for _ in range(4)))
    assert len(await desk.post()) == 1
    for _ in range(2 * link_again.MOST_A_DAY):
        desk.clock.move(seconds=link_again.PAUSE_S)
        await link_again.ask(desk.house, old, address="::2")
    assert len(await desk.post()) == link_again.MOST_A_DAY - 1
    came = [(await desk.ask(secrets.token_urlsafe(32))).status_code for _ in range(link_again.ASKED_ADDRESS - 3)]
    assert came == [303] * (link_again.ASKED_ADDRESS - 4) + [429]
    assert (await desk.ask(old)).status_code == 429
    desk.clock.move(days=1)
    await link_again.ask(desk.house, old, address="::3")
    assert len(await desk.post()) == 1


async def test_the_visits_page_asks_with_the_dead_cookie_and_without_script(desk: Desk) -> None:
    visit, old, _ = await desk.visit()
    cookie = f"tt-v-{visit}={old}"
    await desk.end(visit)
    desk.site.client.cookies.clear()
    page = await desk.site.client.get(f"/appointments/{visit}/live", headers={"Cookie": cookie, "Accept": "text/html"})
    assert page.status_code == 404
    assert f'name="appointment" value="{visit}"' in page.text
    assert old not in page.text
    assert "tt-form=" in page.headers["set-cookie"]
    assert (await desk.ask(appointment=visit, cookie=cookie)).status_code == 303
    assert (await desk.ask(appointment=visit)).status_code == 303  # no cookie: nothing to ask with
    [letter] = await desk.post()
    assert await desk.opens(token_in(letter)) == 200
    other = await desk.site.headers_of(next(one for one in PERSONAS if one.person == "stranger"))
    refused = await desk.site.client.get(f"/appointments/{visit}/live", headers=other | {"Accept": "text/html"})
    assert (refused.status_code, "E-mail me a new link" in refused.text) == (404, False)
