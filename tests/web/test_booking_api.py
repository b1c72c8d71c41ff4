"""Booking through the JSON doors: choices, times, holds, one booking for one key, moves against a version, cancellation."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.portal_web.customers import HOME, OFFICE, Household, furnish
from tests.portal_web.living import living
from tracker.domain.appointments import State, Step
from tracker.records import customers, outbox, schema
from tracker.records.database import new_id
from tracker.records.people import Person


@dataclass
class Program:
    """Somebody's program, signed in."""

    home: Household
    cookie: str

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.home.town.client.request(
            method, f"/api/v1{path}", json=body, headers={"Cookie": self.cookie, **headers}
        )

    async def offers(self, **more: str) -> list[str]:
        """The times of tomorrow and the days after."""
        asked = {"service_type": self.home.inspection, **more}
        answer = await self.ask("GET", "/booking/times?" + "&".join(f"{name}={value}" for name, value in asked.items()))
        assert answer.status_code == 200, answer.text
        return [offer["arrival_at"] for day in answer.json()["days"][1:] for offer in day["offers"]]

    async def book(self, nth: int = 9) -> dict[str, Any]:
        """An appointment."""
        body = {"service_type": self.home.inspection, "arrival_at": (await self.offers())[nth]}
        answer = await self.ask("POST", "/appointments", body)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


@pytest.fixture
async def home(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Household]:
    async with living(sqlite_url, redis_url, tmp_path) as town:
        yield await furnish(town)


async def program(home: Household, person: Person) -> Program:
    return Program(home, f"tt={await home.town.token_of(person)}")


@pytest.fixture
async def anna(home: Household) -> Program:
    return await program(home, home.town.world.customer)


async def test_choices_are_the_accounts_own_and_say_where(home: Household, anna: Program) -> None:
    found = (await anna.ask("GET", "/booking/choices")).json()
    assert found["account"]["id"] == home.account
    assert [one["name"] for one in found["assets"]] == ["Heat pump", "Ventilation unit"]
    assert (found["where"]["address"], found["where"]["origin"]) == (HOME, "account")
    there = (await anna.ask("GET", f"/booking/choices?asset={home.fan}")).json()["where"]
    assert (there["address"], there["origin"]) == (OFFICE, "asset")


async def test_what_is_out_of_use_or_has_no_place_is_neither_held_nor_booked(home: Household, anna: Program) -> None:
    """B2, B3, O1: equipment and accounts out of use, an address that is not on the map; nothing of it is stored."""
    body = {"service_type": home.inspection, "arrival_at": (await anna.offers())[3]}

    async def refused(body: dict[str, Any]) -> set[tuple[int, str]]:
        answers = [await anna.ask(*door, body) for door in (("POST", "/appointments"), ("PUT", "/booking/hold"))]
        return {(answer.status_code, answer.json()["code"]) for answer in answers}

    async def change(table: Any, id: str, **values: Any) -> None:
        async with home.town.house.db.transaction() as tx:
            await tx.change(table.update().where(table.c.id == id).values(values))

    await change(schema.assets, home.pump, active=False)
    assert [one["name"] for one in (await anna.ask("GET", "/booking/choices")).json()["assets"]] == ["Ventilation unit"]
    assert await refused(body | {"asset": home.pump}) == {(404, "not_found")}
    await change(schema.accounts, home.account, lat=None, lon=None)
    assert (await anna.ask("GET", "/booking/choices")).json()["where"] is None
    assert await refused(body) == {(422, "no_address")}
    await change(schema.accounts, home.account, lat=60.1699, lon=24.9384, active=False)
    assert await refused(body) == {(422, "not_bookable")}
    assert await home.all_booked() == []


async def test_one_key_books_once_however_often_it_is_sent(home: Household, anna: Program) -> None:
    body = {"service_type": home.inspection, "arrival_at": (await anna.offers())[9], "details": "Ring twice."}
    answers = await asyncio.gather(*(anna.ask("POST", "/appointments", body, Idempotency_Key="one") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert {answer.headers["etag"] for answer in answers} == {'"1"'}
    other = await anna.ask("POST", "/appointments", body | {"details": "Ring once."}, Idempotency_Key="one")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert len(await home.all_booked()) == 1
    read = await anna.ask("GET", answers[0].headers["location"].removeprefix("/api/v1"))
    assert read.json()["details"] == "Ring twice."


async def test_who_is_too_late_is_told_the_nearest_times(home: Household, anna: Program) -> None:
    body = {"service_type": home.inspection, "arrival_at": (await anna.offers())[20]}
    answers = await asyncio.gather(*(anna.ask("POST", "/appointments", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    lost = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (lost["code"], len(lost["nearest"])) == ("slot_taken", 3)
    again = await anna.ask("POST", "/appointments", body | {"arrival_at": lost["nearest"][0]})
    assert again.status_code == 201


async def test_a_hold_is_extended_once_and_given_back(home: Household, anna: Program) -> None:
    at = (await anna.offers())[12]
    held = await anna.ask("PUT", "/booking/hold", {"service_type": home.inspection, "arrival_at": at})
    assert (held.status_code, held.json()["arrival_at"], held.json()["extended"]) == (200, at, False)
    other = await program(home, home.town.world.customer)
    assert at not in await other.offers()
    assert at in await anna.offers()
    assert (await anna.ask("POST", "/booking/hold/extend")).json()["extended"]
    again = await anna.ask("POST", "/booking/hold/extend")
    assert (again.status_code, again.json()["code"]) == (409, "hold_extended")
    assert at not in await other.offers()  # it runs on
    assert [(await anna.ask("DELETE", "/booking/hold")).status_code for _ in range(2)] == [204, 204]
    assert at in await other.offers()


async def test_a_move_names_the_version_that_was_seen(home: Household, anna: Program) -> None:
    made = await anna.book()
    path, body = f"/appointments/{made['id']}/arrival", {"arrival_at": (await anna.offers())[30]}
    blind = await anna.ask("PUT", path, body)
    assert (blind.status_code, blind.json()["code"]) == (428, "precondition_required")
    moved = await anna.ask("PUT", path, body, If_Match='"1"')
    assert (moved.status_code, moved.json()["arrival_at"], moved.headers["etag"]) == (200, body["arrival_at"], '"2"')
    stale = await anna.ask("PUT", path, {"arrival_at": made["arrival_at"]}, If_Match='"1"')
    assert (stale.status_code, stale.json()["code"]) == (412, "version_mismatch")
    assert (await home.appointment(made["id"])).arrival_at.isoformat() == moved.json()["arrival_at"].replace("Z", "+00:00")


async def test_canceling_asks_for_a_reason_and_on_the_way_for_a_second_yes(home: Household, anna: Program) -> None:
    made = await anna.book()
    path = f"/appointments/{made['id']}/cancel"
    for reason in ("", "  ", "x" * 1001):
        assert (await anna.ask("POST", path, {"reason": reason})).status_code == 422
    assert (await anna.ask("POST", path, {"reason": "x"}, If_Match='"7"')).status_code == 412
    await home.town.step(made["id"], Step.START_TRAVEL)
    once = await anna.ask("POST", path, {"reason": "We are away."})
    assert (once.status_code, once.json()["code"]) == (409, "not_confirmed")
    assert (await home.appointment(made["id"])).state is State.TRAVELING
    twice = await anna.ask("POST", path, {"reason": "We are away.", "on_the_way": True})
    assert (twice.status_code, twice.json()["state"], twice.json()["cancel_reason"]) == (200, "canceled", "We are away.")


async def test_in_progress_neither_moves_nor_ends(home: Household, anna: Program) -> None:
    visit = await home.visit(State.IN_PROGRESS)
    moved = await anna.ask("PUT", f"/appointments/{visit}/arrival", {"arrival_at": (await anna.offers())[5]}, If_Match="*")
    canceled = await anna.ask("POST", f"/appointments/{visit}/cancel", {"reason": "x", "on_the_way": True})
    assert {(each.status_code, each.json()["code"]) for each in (moved, canceled)} == {(409, "step_not_possible")}
    assert {each.json()["detail"] for each in (moved, canceled)} == {"Work has started, so this visit can’t be changed."}


async def test_what_is_not_ones_own_is_not_there(home: Household, anna: Program) -> None:
    made, at = await anna.book(), (await anna.offers())[40]
    eve = await program(home, home.town.world.stranger)
    answers = []
    for id_ in (made["id"], "0" * 16):
        answers += [
            await eve.ask("PUT", f"/appointments/{id_}/arrival", {"arrival_at": at}, If_Match="*"),
            await eve.ask("POST", f"/appointments/{id_}/cancel", {"reason": "x"}),
            await eve.ask("GET", f"/booking/times?service_type={home.inspection}&moving={id_}&account={home.account}"),
        ]
    body = {"service_type": home.inspection, "arrival_at": at}
    for more in ({"account": home.account}, {"account": "0" * 16}, {"asset": home.fan}):
        answers += [await eve.ask(*what, body | more) for what in (("POST", "/appointments"), ("PUT", "/booking/hold"))]
    assert {(each.status_code, each.json()["code"]) for each in answers} <= {(404, "not_found"), (422, "no_address")}
    assert [each.status_code for each in answers].count(404) >= len(answers) - 2
    assert (await home.appointment(made["id"])).version == 1


@pytest.mark.parametrize(
    "query",
    ["", "days=0", "days=32", "first=x", "first=9999-12-31", "service_type=" + "x" * 65],
)
async def test_a_query_that_does_not_fit_says_what(home: Household, anna: Program, query: str) -> None:
    more = f"service_type={home.inspection}&{query}" if query and not query.startswith("service") else query
    answer = await anna.ask("GET", f"/booking/times?{more}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


async def test_no_time_can_be_made_up(home: Household, anna: Program) -> None:
    now = home.town.house.clock()
    odd = {now + timedelta(days=2, minutes=7), now - timedelta(days=1), now + timedelta(days=4000)}
    for at in (*(each.isoformat() for each in odd), "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        answer = await anna.ask("POST", "/appointments", {"service_type": home.inspection, "arrival_at": at})
        assert answer.status_code in (409, 422), (at, answer.text)
    assert await home.all_booked() == []


async def test_staff_say_for_each_appointment_whether_its_customer_is_kept_informed(home: Household, anna: Program) -> None:
    """N2: preset by `letters_for`, said when booking or later; reminders follow; a customer's own booking is always told."""
    desk, world = await program(home, home.town.world.dispatcher), home.town.world

    async def kinds(appointment: str) -> list[str]:
        async with home.town.house.db.reading() as tx:
            return sorted(letter.kind for letter in await outbox.of_appointment(tx, appointment))

    async with home.town.house.db.reading() as tx:
        [contact] = await customers.contacts_of(tx, world.account)
        silent = new_id()
        row = {"id": silent, "account_id": world.account, "email": "", "name": "Only Called", "created_at": contact.created_at}
        await customers.add_contact(tx, customers.Contact(**row))
    offers = iter((await anna.offers())[60::4])

    async def book(who: Program, **more: Any) -> Any:
        body = {"account": world.account, "service_type": home.inspection, "arrival_at": next(offers), **more}
        answer = await who.ask("POST", "/appointments", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    told = ["confirmation", "reminder"]
    preset = await book(desk, contact=contact.id)
    assert (preset["keep_informed"], await kinds(preset["id"])) == (False, [])
    ticked = await book(desk, contact=contact.id, keep_informed=True)
    assert (ticked["keep_informed"], await kinds(ticked["id"])) == (True, told)
    for nobody in ({}, {"contact": silent}):  # to be kept informed takes somebody whom letters reach
        body = {"account": world.account, "service_type": home.inspection, "arrival_at": next(offers), "keep_informed": True}
        refused = await desk.ask("POST", "/appointments", body | nobody)
        assert (refused.status_code, refused.json()["code"]) == (422, "nobody_to_inform")
    own = await book(anna, keep_informed=False)
    assert ("keep_informed" in own, await kinds(own["id"])) == (False, told)
    await home.set("letters_for", "all")
    assert await kinds((await book(desk, contact=contact.id))["id"]) == told
    assert await kinds((await book(desk, contact=contact.id, keep_informed=False))["id"]) == []

    path = f"/appointments/{preset['id']}/informed"
    on = (await desk.ask("PUT", path, {"on": True}, If_Match='"1"')).json()
    assert (on["keep_informed"], await kinds(preset["id"])) == (True, ["reminder"])
    assert (await desk.ask("PUT", path, {"on": False}, If_Match='"1"')).status_code == 412
    off = (await desk.ask("PUT", path, {"on": False})).json()
    assert (off["keep_informed"], await kinds(preset["id"])) == (False, [])
    assert (await anna.ask("PUT", path, {"on": True})).status_code == 403
    alone = await book(desk)
    nobody = await desk.ask("PUT", f"/appointments/{alone['id']}/informed", {"on": True})
    assert (alone["keep_informed"], nobody.status_code) == (True, 200)  # so it was preset; nothing is changed
    alone = await book(desk, keep_informed=False)
    nobody = await desk.ask("PUT", f"/appointments/{alone['id']}/informed", {"on": True})
    assert (nobody.status_code, nobody.json()["code"]) == (422, "nobody_to_inform")
    # B6: why this technician, for staff; B5: an offer names its travel source
    assert re.fullmatch(r"\d+\.\d km; nobody else could come( \(estimated from the distance\))?", alone["why_technician"])
    assert "why_technician" not in own
    times = (await anna.ask("GET", f"/booking/times?service_type={home.inspection}")).json()
    named = {offer["source"] for day in times["days"] for offer in day["offers"]}
    assert (times["source"], named) == ("distance", {"distance", "road"})  # from a visit at the same place there is no travel
    page = await home.town.get(f"/appointments/{alone['id']}/live", world.dispatcher)
    assert f"<dt>Why Maya</dt><dd>{alone['why_technician']}</dd>" in page.text
    assert "Why Maya" not in (await home.town.get(f"/appointments/{alone['id']}/live", world.customer)).text
