"""The log of letters (N6): each with its state and its words as they would be sent now; and sending one again."""

from dataclasses import dataclass

from tracker.actions.house import House
from tracker.actions.letters.composing import compose
from tracker.actions.staff import only_staff
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.letters import veiled
from tracker.errors import NotFound
from tracker.post.message import Writer
from tracker.records import audit, outbox, outgoing
from tracker.records.outbox import Letter


@dataclass(frozen=True, slots=True)
class Readable:
    """A letter as it would be sent now; ``subject`` and ``text`` are empty for one that has been overtaken."""

    letter: Letter
    subject: str = ""
    text: str = ""


async def read_letters(house: House, actor: Actor, url: str, most: int = 50) -> list[Readable]:
    """The newest letters with their words; ``url`` is where people reach the service. Staff only.

    Codes and tokens are veiled, else a dispatcher could ask for an admin's new password and read the letter here. Who runs
    commands on the machine has its secret anyway and sees the letters whole.
    """
    only_staff(actor)
    async with house.db.reading() as tx:
        found = await outbox.latest(tx, most)
    writer = Writer()
    return [await _readable(house, writer, one, url, whole=_at_the_machine(actor)) for one in found]


def _at_the_machine(actor: Actor) -> bool:
    """True for commands: an admin without a person, a session or a token."""
    return actor.role is Role.ADMIN and actor.person is None and actor.session is None and not actor.token


async def _readable(house: House, writer: Writer, letter: Letter, url: str, *, whole: bool) -> Readable:
    composed = await compose(house, letter, url, house.clock())
    if composed is None:
        return Readable(letter)
    words = composed.words if whole else veiled(composed.words)
    return Readable(letter, words.subject, writer.text(words, composed.sender))


async def send_again(house: House, actor: Actor, letter: str) -> None:
    """Let a letter go once more, now, under the Message-ID it had; `NotFound`. One that was overtaken still is not sent."""
    only_staff(actor)
    now = house.clock()
    async with house.db.transaction() as tx:
        if not await outgoing.again(tx, letter, now):
            raise NotFound("There is no letter with this id.")
        await audit.write(tx, now, actor.signed, "letter.again", letter)
