"""Letters really go out: over real SMTP, once, in spite of everything a mail server may do."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from aiosmtpd.smtp import SMTP, Envelope
from sqlalchemy import select, update

from tests.post.catcher import SENDER, URL, Catcher, catcher
from tests.world import World
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.people import contacts, invitations, resetting
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.post.server import Post, Security, Server
from tracker.post.smtp import Waits
from tracker.records import outbox, outgoing
from tracker.records.outbox import Kind
from tracker.records.schema import outbox as table
from tracker.records.settings import write

DESK = Actor(Role.DISPATCHER, person="desk")
QUICK = Waits(answer_s=10.0, connect_s=10.0, letter_s=10.0)
FIRST, SECOND = "first@example.org", "second@example.org"


@pytest.fixture
async def post(house: House) -> AsyncIterator[Catcher]:
    async with catcher() as caught:
        house.post = caught.post()
        yield caught


def postman(house: House) -> Postman:
    return Postman(house, waits=QUICK)


async def write_to(house: House, *addresses: str) -> None:
    async with house.db.transaction() as tx:
        for number, address in enumerate(addresses):
            await outbox.add(tx, Kind.CHANGED, f"x{number}", address, house.clock() - timedelta(seconds=1 - number / 1000))


async def rows(house: House) -> dict[str, outbox.Letter]:
    async with house.db.reading() as tx:
        return {letter.recipient: letter for letter in await outbox.latest(tx)}


async def test_an_invitation_arrives_and_what_stands_in_it_can_be_redeemed(house: House, world: World, post: Catcher) -> None:
    added = await contacts.add_contact(house, DESK, world.account, "kaisa@example.org", "Käisa Kokeilu")
    assert added.invited
    assert await postman(house).turn() == 1
    [letter] = post.to("kaisa@example.org")
    codes = [re.findall(r"/redeem#([-0-9A-Z]+)", form)[0] for form in (letter.text, letter.html)]
    assert codes[0] == codes[1]
    signed = await invitations.redeem(
        house, codes[0], "kaisa@example.org", "a long enough phrase", address="::1", user_agent=None
    )
    assert signed.actor.role is Role.CUSTOMER
    message = letter.message
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["To"] == "Käisa Kokeilu <kaisa@example.org>"
    assert message["Message-ID"].startswith("<invitation.")
    assert await postman(house).turn() == 0


async def test_a_reset_opens_with_the_code_of_its_letter(house: House, world: World, post: Catcher) -> None:
    await resetting.ask(house, "anna@example.org", address="::1")
    await resetting.ask(house, "nobody@example.org", address="::1")
    assert await postman(house).turn() == 1
    code = re.findall(r"/reset#([-0-9A-Z]+)", post.letters[0].text)[0]
    await resetting.reset(house, code, "another long phrase", address="::1", user_agent=None)
    assert await postman(house).turn() == 1
    assert [one.message["Subject"] for one in post.to("anna@example.org")] == [
        "Choose a new password",
        "Your password was changed",
    ]


async def test_what_was_overtaken_or_switched_off_is_not_sent_and_warns_nobody(house: House, world: World, post: Catcher) -> None:
    await resetting.ask(house, "anna@example.org", address="::1")
    house.clock.move(minutes=31)  # type: ignore[attr-defined]
    await write_to(house, FIRST)
    async with house.db.transaction() as tx:
        await write(tx, "letters_off", ["changed"], "test", house.clock())
    await house.settings.refresh(house.db)
    assert await postman(house).turn() == 0
    assert post.connections == 0
    async with house.db.reading() as tx:
        assert await outbox.state(tx, house.clock()) == outbox.State(0, None, 0)


async def test_one_connection_carries_a_batch(house: House, world: World, post: Catcher) -> None:
    await write_to(house, *(f"p{n}@example.org" for n in range(15)))
    assert await postman(house).turn() == 15
    assert post.connections == 1


@pytest.mark.parametrize(
    "name", ["Eve\r\nBcc: all@example.org", "Eve\nX-Evil: 1\r\n\r\nbody", "\u202eEve\x00 <x@y>", '"Eve" <x@y.org>,']
)
async def test_no_name_can_write_a_header(house: House, world: World, post: Catcher, name: str) -> None:
    async with house.db.transaction() as tx:
        await write(tx, "company", f"Yhtiö {name}"[:60], "test", house.clock())
    await house.settings.refresh(house.db)
    await write_to(house, FIRST)
    assert await postman(house).turn() == 1
    [letter] = post.letters
    assert letter.recipient == FIRST
    assert set(letter.message.keys()) == HEADERS
    assert [one.addr_spec for one in letter.message["From"].addresses] == ["no-reply@portal.example.org"]
    assert [one.addr_spec for one in letter.message["To"].addresses] == [FIRST]


HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("MIME-Version", "Content-Type", "Content-Language"),
}


@pytest.mark.parametrize("address", ["a@b.org\r\nRCPT TO:<all@example.org>", "a@b.org, c@d.org", "nobody", "a b@c.org"])
async def test_an_address_that_is_none_is_parked(house: House, world: World, post: Catcher, address: str) -> None:
    await write_to(house, address, SECOND)
    assert await postman(house).turn() == 1
    assert [one.recipient for one in post.letters] == [SECOND]
    assert (await rows(house))[address].last_error == "the address cannot be sent"


async def test_addresses_of_all_scripts_are_carried(house: House, world: World, post: Catcher) -> None:
    await write_to(house, "jörg@example.org", "info@bücher.example")
    assert await postman(house).turn() == 2
    assert [one.recipient for one in post.letters] == ["jörg@example.org", "info@xn--bcher-kva.example"]


async def test_a_server_that_is_down_for_an_hour_costs_nothing(house: House, world: World) -> None:
    async with catcher() as gone:
        house.post = gone.post()
    await write_to(house, FIRST, SECOND)
    man = postman(house)
    for _ in range(60):
        assert await man.turn() == 0
        house.clock.move(minutes=1)  # type: ignore[attr-defined]
    assert {letter.attempts for letter in (await rows(house)).values()} == {0}  # it says nothing of the letters
    async with catcher(gone.port) as back:
        for _ in range(17):  # a rest of a quarter of an hour at most
            await man.turn()
            house.clock.move(minutes=1)  # type: ignore[attr-defined]
        assert [one.recipient for one in back.letters] == [FIRST, SECOND]


@pytest.mark.parametrize("answer", ["450 4.2.1 greylisted", "452 4.2.2 full"])
async def test_refused_for_now_is_tried_again_and_holds_nobody_up(house: House, world: World, post: Catcher, answer: str) -> None:
    post.refuse[FIRST] = answer
    await write_to(house, FIRST, SECOND)
    man = postman(house)
    assert await man.turn() == 1
    assert (await rows(house))[FIRST].last_error == answer[:3]
    del post.refuse[FIRST]
    house.clock.move(seconds=1)  # type: ignore[attr-defined]
    assert await man.turn() == 0  # not at once
    house.clock.move(seconds=30)  # type: ignore[attr-defined]
    assert await man.turn() == 1


async def test_after_two_days_of_that_it_is_given_up_and_staff_are_told(house: House, world: World, post: Catcher) -> None:
    post.refuse[FIRST] = "450 4.2.1 never mind"
    await write_to(house, FIRST)
    man, tries = postman(house), 0
    while (letter := (await rows(house))[FIRST]).parked_at is None:
        house.clock.move(minutes=60)  # type: ignore[attr-defined]
        assert await man.turn() == 0
        tries += 1
    assert timedelta(hours=46) < letter.parked_at - letter.created_at <= timedelta(hours=49) if letter.parked_at else False
    assert tries <= 49
    async with house.db.reading() as tx:
        assert (await outbox.state(tx, house.clock())).failed == 1


async def test_refused_for_good_is_parked_at_once_and_sent_again_by_hand(house: House, world: World, post: Catcher) -> None:
    post.refuse[FIRST] = "550 5.1.1 <first@example.org> unknown"
    await write_to(house, FIRST, SECOND)
    man = postman(house)
    assert await man.turn() == 1
    letter = (await rows(house))[FIRST]
    assert letter.parked_at
    assert letter.last_error == "550"  # the server's words may name people: not kept
    post.refuse.clear()
    async with house.db.transaction() as tx:
        await outgoing.again(tx, letter, house.clock())
    assert await man.turn() == 1
    assert post.to(FIRST)[0].message["Message-ID"] == f"<{letter.message_id}@portal.example.org>"


def _hang_up(server: SMTP, envelope: Envelope) -> str | None:
    if FIRST in envelope.rcpt_tos:
        server.transport.abort()
    return None


def _closing(server: SMTP, envelope: Envelope) -> str | None:
    return "421 4.3.2 shutting down" if FIRST in envelope.rcpt_tos else None


@pytest.mark.parametrize("at_data", [_hang_up, _closing])
async def test_a_letter_that_breaks_the_connection_does_not_keep_the_others(
    house: House, world: World, post: Catcher, at_data: object
) -> None:
    post.at_data = at_data  # type: ignore[assignment]
    await write_to(house, FIRST, SECOND)
    man = postman(house)
    await man.turn()
    assert not post.to(SECOND)
    house.clock.move(seconds=31)  # type: ignore[attr-defined]
    await man.turn()
    assert post.to(SECOND)
    first = (await rows(house))[FIRST]
    assert first.sent_at is None
    assert first.attempts >= 1
    assert {one.message["Message-ID"] for one in post.to(FIRST)} <= {f"<{first.message_id}@portal.example.org>"}


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the other side has enough
    writer.close()


async def _slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        for byte in b"220 a greeting whose bytes all come, none of them too late, for as long as anybody will wait":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.1)
    writer.close()


@pytest.mark.parametrize("answering", [_silent, _slow])
async def test_a_server_that_says_nothing_or_hardly_anything_is_left_in_time(
    house: House, world: World, answering: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> None:
    listening = await asyncio.start_server(answering, "127.0.0.1", 0)
    async with listening, asyncio.timeout(60):
        where = Server(host="127.0.0.1", port=listening.sockets[0].getsockname()[1], security=Security.PLAIN)
        house.post = Post(where, SENDER, URL)
        await write_to(house, FIRST)
        assert await Postman(house, waits=Waits(answer_s=1.0, connect_s=2.0)).turn() == 0
    assert (await rows(house))[FIRST].attempts == 0  # nothing was said about the letter


def _stuck(_server: SMTP, envelope: Envelope) -> str | None:
    if FIRST in envelope.rcpt_tos:
        raise asyncio.CancelledError  # its conversation ends without a word, the connection stays
    return None


async def test_silence_after_the_whole_letter_is_tried_again_later(house: House, world: World, post: Catcher) -> None:
    post.at_data = _stuck
    await write_to(house, FIRST, SECOND)
    man = Postman(house, waits=Waits(answer_s=1.0, connect_s=10.0, letter_s=2.0))
    async with asyncio.timeout(60):
        await man.turn()
        house.clock.move(seconds=31)  # type: ignore[attr-defined]
        await man.turn()
    assert len(post.to(SECOND)) == 1
    assert (await rows(house))[FIRST].sent_at is None


async def test_killed_between_sending_and_committing_it_sends_one_twin_with_the_same_id(
    house: House, world: World, post: Catcher
) -> None:
    await write_to(house, *(f"p{n}@example.org" for n in range(5)))

    def die_after(server: SMTP, envelope: Envelope) -> str | None:
        if "p2@example.org" in envelope.rcpt_tos:
            doomed.cancel()
        return None

    post.at_data = die_after
    doomed = asyncio.create_task(postman(house).turn())
    with pytest.raises(asyncio.CancelledError):
        await doomed
    post.at_data = None
    async with house.db.transaction() as tx:  # what a killed process leaves: its lease
        await tx.change(update(table).where(table.c.sent_at.is_(None)).values(leased_until=house.clock() + timedelta(minutes=5)))
    assert await postman(house).turn() == 0
    house.clock.move(minutes=6)  # type: ignore[attr-defined]
    assert await postman(house).turn() == 3
    counts = {f"p{n}@example.org": len(post.to(f"p{n}@example.org")) for n in range(5)}
    assert counts == {"p0@example.org": 1, "p1@example.org": 1, "p2@example.org": 2, "p3@example.org": 1, "p4@example.org": 1}
    assert len({one.message["Message-ID"] for one in post.to("p2@example.org")}) == 1


async def test_two_workers_send_each_letter_once(house: House, world: World, post: Catcher) -> None:
    addresses = [f"p{n}@example.org" for n in range(60)]
    await write_to(house, *addresses)
    taken = await asyncio.gather(*(postman(house).turn() for _ in range(3)))
    assert sum(taken) == 60
    assert sorted(one.recipient for one in post.letters) == sorted(addresses)


async def test_without_a_server_letters_wait(house: House, world: World) -> None:
    house.post = Post(None, SENDER, URL)
    await write_to(house, FIRST)
    assert await postman(house).turn() == 0
    async with house.db.reading() as tx:
        assert (await outbox.state(tx, house.clock())).waiting == 1
        assert await tx.value(select(table.c.leased_until)) is None


async def test_no_log_names_anybody_or_shows_a_code(
    house: House, world: World, post: Catcher, capfd: pytest.CaptureFixture[str]
) -> None:
    await contacts.add_contact(house, DESK, world.account, "kaisa@example.org", "Kaisa Kokeilu")
    await write_to(house, FIRST, SECOND, "no address, at all")
    post.refuse = {FIRST: f"550 5.1.1 <{FIRST}> unknown", SECOND: f"450 4.2.1 <{SECOND}> later"}
    await postman(house).turn()
    [code] = re.findall(r"/redeem#([-0-9A-Z]+)", post.to("kaisa@example.org")[0].text)
    post.at_data = lambda server, _envelope: server.transport.abort()
    await contacts.invite(house, DESK, (await _kaisa(house)))
    await postman(house).turn()
    said = "".join(capfd.readouterr())
    assert "letter_parked" in said
    assert "mail_server_away" in said
    for secret in (code, "kaisa", "Kaisa", FIRST, SECOND, "no address"):
        assert secret not in said


async def _kaisa(house: House) -> str:
    async with house.db.reading() as tx:
        letter = next(one for one in await outbox.latest(tx) if one.kind == "invitation")
    return str(letter.payload["contact"])
