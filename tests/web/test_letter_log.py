"""The log of letters through its doors, over real SMTP: what became of each, sent again, and who is warned (N6)."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete

from tests.post.catcher import SENDER, URL, Catcher, catcher
from tests.serving import config_for, free_socket, serving
from tests.web.roles import whole_app
from tests.world import World
from tracker.actions.house import House
from tracker.actions.letters.posting import LEASE, Postman
from tracker.actions.people import contacts, resetting, tokens
from tracker.actions.people.accounts import hashed
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.codes import Purpose, code_of
from tracker.domain.letters import VEIL
from tracker.post.server import Post, Server
from tracker.post.smtp import Waits
from tracker.records import audit, customers, outbox, outgoing, sessions, settings
from tracker.records.database import new_id
from tracker.records.outbox import Kind
from tracker.records.people import Person
from tracker.records.schema import appointments
from tracker.records.schema import outbox as table
from tracker.records.sessions import Session

ADMIN = Actor(Role.ADMIN, person="admin")
QUICK = Waits(answer_s=10.0, connect_s=10.0, letter_s=10.0)
IMPATIENT = Waits(answer_s=0.3, connect_s=0.3, letter_s=0.3)
SENT, REFUSED, LATER, FUTURE = (f"{name}@example.org" for name in ("sent", "refused", "later", "future"))


@dataclass
class Log:
    """What is served, the mail server behind it, and a program of the staff's."""

    client: httpx.AsyncClient
    house: House
    world: World
    post: Catcher
    program: dict[str, str]

    async def write(self, *recipients: str, wait: timedelta = timedelta(0), **about: str) -> list[str]:
        """Letters to these, due after a while; their ids."""
        now = self.house.clock()
        async with self.house.db.transaction() as tx:
            for recipient in recipients:
                await outbox.add(tx, Kind.CHANGED, new_id(), recipient, now, due_at=now + wait, **about)
            return [(await outbox.latest(tx, 1, outbox.Wanted(recipient=recipient)))[0].id for recipient in recipients]

    async def listed(self, **filters: str) -> Any:
        answer = await self.client.get("/api/v1/letters", params=filters, headers=self.program)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def states(self, **filters: str) -> dict[str, str]:
        """The state of each letter found, by recipient."""
        return {one["recipient"]: one["state"] for one in (await self.listed(**filters))["letters"]}

    async def resend(self, letter: str, key: str | None = None) -> tuple[int, str]:
        """The status, and the letter's state or the refusal's code."""
        headers = self.program | ({"Idempotency-Key": key} if key else {})
        answer = await self.client.post(f"/api/v1/letters/{letter}/resend", headers=headers)
        said = answer.json()
        return answer.status_code, said["code"] if answer.status_code >= 400 else said["state"]

    async def turn(self) -> int:
        """The worker's turn; how many letters were taken."""
        return await Postman(self.house, waits=QUICK).turn()

    async def setting(self, key: str, value: object) -> None:
        async with self.house.db.transaction() as tx:
            await settings.write(tx, key, value, "test", self.house.clock())
        await self.house.settings.refresh(self.house.db)

    async def cookie(self, person: Person) -> dict[str, str]:
        token, now = new_id(), self.house.clock()
        times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=1)}
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, Session(id=new_id(), person_id=person.id, user_agent=None, **times), hashed(token))
        return {"Cookie": f"tt={token}"}

    async def audited(self) -> list[tuple[str, str, str]]:
        """Of each letter that was sent again: who did it, which, and how it stood before; the oldest first."""
        async with self.house.db.reading() as tx:
            lines = [line for line in await audit.latest(tx) if line.what == "letter.again"]
        return [(line.actor, line.subject, (line.before or {})["state"]) for line in reversed(lines)]


@pytest.fixture
async def log(house: House, world: World, tmp_path: Path) -> AsyncIterator[Log]:
    made = await tokens.add_token(house, ADMIN, "the office", ["letters:read", "letters:write"])
    bound = free_socket()
    async with catcher() as post, serving(whole_app(house, config_for(bound, tmp_path)), bound) as client:
        house.post = post.post()
        yield Log(client, house, world, post, {"Authorization": f"Bearer {made.secret}"})


async def test_each_letter_is_found_in_the_state_it_is_in(log: Log) -> None:
    log.post.refuse |= {REFUSED: "550 no such user", LATER: "451 not now"}
    visit = await log.world.appointment()
    await resetting.ask(log.house, "anna@example.org", address="::1")
    log.house.clock.move(minutes=31)  # type: ignore[attr-defined]
    await log.write(SENT, REFUSED, LATER)
    await log.write(FUTURE, wait=timedelta(days=1), appointment=visit)
    assert await log.turn() == 1
    every = {FUTURE: "waiting", SENT: "sent", REFUSED: "parked", LATER: "retrying", "anna@example.org": "overtaken"}
    assert await log.states() == every
    for recipient, state in every.items():
        assert await log.states(state=state) == {recipient: state}
    assert (await log.listed())["letters"][-1]["kind"] == "reset"
    assert await log.states(kind="reset") == {"anna@example.org": "overtaken"}
    assert await log.states(recipient="  REFUSED@example.org") == {REFUSED: "parked"}
    assert await log.states(appointment=visit) == {FUTURE: "waiting"}
    assert await log.states(appointment=visit, state="sent") == {}
    [parked], [retrying] = [(await log.listed(state=state))["letters"] for state in ("parked", "retrying")]
    assert (parked["last_error"], retrying["last_error"], retrying["attempts"]) == ("550", "451", 1)
    for wrong in ({"kind": "x"}, {"state": "x"}, {"after": "x"}, {"after": "9" * 18 + "-a"}, {"appointment": "\x00"}):
        answer = await log.client.get("/api/v1/letters", params=wrong, headers=log.program)
        assert answer.status_code == 422, (wrong, answer.text)


async def test_a_list_goes_on_where_it_was_whatever_happens_meanwhile(log: Log) -> None:
    ids = await log.write(*(f"p{number}@example.org" for number in range(201)))
    first = await log.listed()
    async with log.house.db.transaction() as tx:
        await tx.change(delete(table).where(table.c.id == first["letters"][-1]["id"]))
    log.house.clock.move(seconds=1)  # type: ignore[attr-defined]
    await log.write(SENT)
    second = await log.listed(after=first["after"])
    third = await log.listed(after=second["after"])
    assert third["after"] is None
    assert sorted(one["id"] for page in (first, second, third) for one in page["letters"]) == sorted(ids)


async def test_sent_again_once_under_the_same_message_id_and_written_down(log: Log) -> None:
    log.post.refuse[REFUSED] = "550 no such user"
    sent, refused = await log.write(SENT, REFUSED)
    assert await log.turn() == 1
    log.post.refuse.clear()
    assert await log.resend(sent, "one") == (200, "waiting")
    assert await log.resend(refused) == (200, "waiting")
    assert await log.resend(refused) == (200, "waiting")  # it waits already
    assert await log.turn() == 2
    assert await log.resend(sent, "one") == (200, "sent")  # the same request
    assert await log.resend(refused, "one") == (422, "idempotency_mismatch")
    assert await log.turn() == 0
    twins = [one.message["Message-ID"] for one in log.post.to(SENT)]
    assert (len(twins), len(set(twins)), len(log.post.to(REFUSED))) == (2, 1, 1)
    at_once = await asyncio.gather(*(log.resend(sent, "two") for _ in range(4)))
    assert set(at_once) == {(200, "waiting")}
    signed = (await log.audited())[0][0]
    assert re.fullmatch(r"token:[0-9a-f]{16}", signed)
    assert (await log.audited()) == [(signed, sent, "sent"), (signed, refused, "parked"), (signed, sent, "sent")]
    both = await asyncio.gather(*(log.resend(letter, "three") for letter in (sent, refused)))
    assert sorted(status for status, _ in both) == [200, 422]  # one key, two requests
    assert await log.turn() >= 1
    written = len(await log.audited())
    desk = await log.cookie(log.world.dispatcher)
    assert (await log.client.post(f"/api/v1/letters/{refused}/resend", headers=desk)).status_code == 200
    assert len(await log.audited()) == written + 1
    assert (await log.audited())[-1] == (f"dispatcher:{log.world.dispatcher.id}", refused, "sent")
    assert await log.resend("0" * 16) == (404, "not_found")


async def test_what_would_only_be_dropped_is_refused_and_stays_as_it_is(log: Log) -> None:
    await resetting.ask(log.house, "anna@example.org", address="::1")
    [sent] = await log.write(SENT)
    assert await log.turn() == 2
    [reset] = [one["id"] for one in (await log.listed(kind="reset"))["letters"]]
    assert await log.resend(reset, "early") == (200, "waiting")
    log.house.clock.move(minutes=31)  # type: ignore[attr-defined]
    assert await log.turn() == 0
    assert await log.resend(reset) == (409, "letter_overtaken")
    await log.setting("letters_off", ["changed"])
    assert await log.resend(sent) == (409, "letter_off")
    assert await log.states() == {"anna@example.org": "overtaken", SENT: "sent"}
    assert await log.resend(reset, "early") == (200, "overtaken")  # as it was answered, not again
    assert [state for _, _, state in await log.audited()] == ["sent"]
    shown = (await log.client.get(f"/api/v1/letters/{sent}", headers=log.program)).json()
    assert (shown["letter"]["state"], shown["subject"], shown["text"]) == ("sent", None, None)
    await log.setting("letters_off", [])
    assert await log.resend(sent) == (200, "waiting")


async def test_a_letter_that_cannot_be_written_is_shown_as_it_stands_with_the_reason(log: Log) -> None:
    visit = await log.world.appointment(arrival_at=log.house.clock() + timedelta(hours=3))
    arrival = {"arrival_at": (log.house.clock() + timedelta(hours=3)).isoformat()}  # but not which time it was moved from
    async with log.house.db.transaction() as tx:
        await outbox.add(tx, Kind.RESCHEDULED, visit, SENT, log.house.clock(), appointment=visit, payload=arrival)
    for state, error in (("waiting", None), ("parked", "could not be written (KeyError)")):
        [letter] = (await log.listed())["letters"]
        shown = await log.client.get(f"/api/v1/letters/{letter['id']}", headers=log.program)
        assert shown.status_code == 200, shown.text
        said = shown.json()
        assert (said["letter"]["state"], said["letter"]["last_error"]) == (state, error)
        assert (said["subject"], said["text"]) == (None, None)
        assert said["fault"] == (
            "This letter could not be put into words: something that it tells of is broken. "
            "Once that is mended, send it again. (KeyError)"
        )
        assert await log.resend(letter["id"]) == (409, "letter_unwritable")
        assert await log.turn() == 0
    assert await log.audited() == []


async def test_a_letter_in_a_workers_hands_is_not_doubled_and_one_put_off_for_long_goes_now(log: Log) -> None:
    [letter] = await log.write(SENT)
    now = log.house.clock()
    async with log.house.db.transaction() as tx:
        [held] = await outgoing.lease(tx, now, now + LEASE, 20)
    assert await log.resend(letter) == (200, "waiting")
    assert await log.turn() == 0
    async with log.house.db.transaction() as tx:
        await outgoing.put_off(tx, held, now + timedelta(hours=1), "451")
    assert await log.turn() == 0
    assert await log.resend(letter) == (200, "retrying")
    assert await log.turn() == 1
    assert [state for _, _, state in await log.audited()] == ["retrying"]


async def test_a_dispatcher_reads_no_letter_that_opens_anything(log: Log) -> None:
    """With an admin's reset code a dispatcher could become the admin; with a visit's link, anybody."""
    house, desk = log.house, await log.cookie(log.world.dispatcher)
    await contacts.add_contact(house, ADMIN, log.world.account, "kaisa@example.org", "Kaisa")
    await resetting.ask(house, "admin@example.org", address="::1")
    await about_a_visit(log)
    assert await log.turn() == 3
    opening = {found for one in log.post.letters for found in re.findall(r"#([-\w]{12,})", one.text + one.html)}
    assert re.search(r"/v#[-\w]{43}\s", text_to(log, "anna@example.org"))
    for kind, purpose in (("invitation", Purpose.INVITATION), ("reset", Purpose.RESET)):
        [letter] = (await log.listed(kind=kind))["letters"]
        assert code_of(house.secret, purpose, letter["message_id"].split(".")[1]) in opening
    for headers in (desk, log.program, await log.cookie(log.world.admin)):
        log.client.cookies.clear()
        said = (await log.client.get("/api/v1/letters", headers=headers)).text
        for letter in (await log.listed())["letters"]:
            answer = (await log.client.get(f"/api/v1/letters/{letter['id']}", headers=headers)).json()
            assert answer["subject"]
            assert (VEIL in answer["text"]) is bool(re.search(r"#[-\w]{12,}", text_to(log, letter["recipient"])))
            said += str(answer)
        assert not [secret for secret in opening if secret in said or secret.replace("-", "") in said]
    assert (await log.client.get("/api/v1/letters", headers=await log.cookie(log.world.customer))).status_code == 403


def text_to(log: Log, recipient: str) -> str:
    [letter] = log.post.to(recipient)
    return letter.text


async def test_a_letter_about_a_visit_does_not_go_to_who_was_removed(log: Log) -> None:
    anna = await about_a_visit(log)
    assert await log.turn() == 1
    [letter] = (await log.listed(kind="confirmation"))["letters"]
    await contacts.remove_contact(log.house, ADMIN, anna)
    assert await log.resend(letter["id"]) == (409, "letter_overtaken")
    assert await log.states() == {"anna@example.org": "sent"}


async def about_a_visit(log: Log) -> str:
    """A confirmation to the contact who reported it, which carries the visit's link; whose it is."""
    visit = await log.world.appointment(arrival_at=log.house.clock() + timedelta(hours=3))
    async with log.house.db.transaction() as tx:
        [anna] = [one for one in await customers.contacts_of(tx, log.world.account) if one.email == "anna@example.org"]
        await tx.change(appointments.update().where(appointments.c.id == visit).values(contact_id=anna.id, keep_informed=True))
        assert await outbox.add_for(tx, Kind.CONFIRMATION, visit, log.house.clock())
    return anna.id


# -- never silent ------------------------------------------------------------------------------------------------------


async def warned(log: Log, desk: dict[str, str]) -> tuple[str, str, bool, str]:
    """As `/readyz` says it to machines (whole, letters) and `/health` to people (to look, what)."""
    ready = (await log.client.get("/readyz")).json()
    page = (await log.client.get("/health", headers=desk | {"Accept": "text/html"})).text
    [letters] = re.findall(r'Letters</p><p class="small muted">([^<]*)<', page)
    return ready["status"], ready["parts"]["mail"], "Something needs a look." in page, letters


@pytest.mark.parametrize("fault", ["away", "silent"])
async def test_staff_are_warned_while_mail_does_not_go_out_and_not_afterwards(log: Log, fault: str) -> None:
    desk, fine = await log.cookie(log.world.dispatcher), ("ok", "ok", False, "Everything due has been sent.")
    with socket.create_server(("127.0.0.1", 0)) as never_answered:
        port = never_answered.getsockname()[1]
        if fault == "away":
            never_answered.close()
        log.house.post = Post(Server(host="127.0.0.1", port=port, security=log.post.server().security), SENDER, URL)
        await log.write(SENT)
        man = Postman(log.house, waits=IMPATIENT)
        assert await man.turn() == 0
        assert (await warned(log, desk))[:3] == fine[:3]  # minutes are not long for a letter
        log.house.clock.move(minutes=6)  # type: ignore[attr-defined]
        assert await man.turn() == 0
        assert (await log.states()) == {SENT: "waiting"}
        status, mail, look, words = await warned(log, desk)
        assert (status, mail, look) == ("degraded", "late", True)
        assert words.startswith("1 waiting since ")
    log.house.post = log.post.post()
    log.house.clock.move(minutes=6)  # type: ignore[attr-defined]
    assert await Postman(log.house, waits=QUICK).turn() == 1
    assert await warned(log, desk) == fine


async def test_staff_are_warned_of_a_refused_letter_until_it_is_sent_again(log: Log) -> None:
    desk = await log.cookie(log.world.dispatcher)
    log.post.refuse[REFUSED] = "550 no such user"
    [letter] = await log.write(REFUSED)
    assert await log.turn() == 0
    assert await warned(log, desk) == ("degraded", "failed", True, "1 could not be sent")
    log.post.refuse.clear()
    assert await log.resend(letter) == (200, "waiting")
    assert await log.turn() == 1
    assert await warned(log, desk) == ("ok", "ok", False, "Everything due has been sent.")
