"""The log of letters (N6): each with its state and its words as they would be sent now; and sending one again."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog

from tracker.actions.house import House
from tracker.actions.letters.composing import Composed, compose
from tracker.actions.letters.posting import LEASE
from tracker.actions.staff import only_staff
from tracker.domain import emails
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.letter_states import LetterState
from tracker.domain.letters import veiled
from tracker.errors import IdempotencyMismatch, LetterOff, LetterOvertaken, LetterUnwritable, NotFound, Refusal
from tracker.post.message import Writer
from tracker.records import audit, outbox, outgoing
from tracker.records.audit import Answer
from tracker.records.database import Transaction
from tracker.records.outbox import ALL, Letter, Wanted
from tracker.records.violations import ConstraintViolated

KEY = "pk_idempotency"
"""The constraint that stands against one key for two requests."""


log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Readable:
    """A letter as it would be sent now; ``subject`` and ``text`` are empty for one that would not be, or cannot be written:
    then ``fault`` says so."""

    letter: Letter
    subject: str = ""
    text: str = ""
    fault: str = ""


async def list_letters(
    house: House, actor: Actor, wanted: Wanted = ALL, most: int = 50, behind: tuple[datetime, str] | None = None
) -> list[Letter]:
    """The newest letters that are ``wanted``, without words; ``behind`` continues after the last one seen. Staff only."""
    only_staff(actor)
    if wanted.recipient is not None:
        wanted = wanted._replace(recipient=emails.one_way(wanted.recipient))
    async with house.db.reading() as tx:
        return await outbox.latest(tx, most, wanted, behind)


async def read_letters(house: House, actor: Actor, url: str, most: int = 50, wanted: Wanted = ALL) -> list[Readable]:
    """The newest letters with their words; ``url`` is where people reach the service. Veiled as `read_letter` says."""
    found = await list_letters(house, actor, wanted, most)
    writer = Writer()
    return [await _readable(house, writer, one, url, whole=_at_the_machine(actor)) for one in found]


async def read_letter(house: House, actor: Actor, letter: str, url: str) -> Readable:
    """One letter with its words; `NotFound`. Staff only.

    Codes and tokens are veiled, else a dispatcher could ask for an admin's new password and read the letter here. Who runs
    commands on the machine has its secret anyway and sees the letters whole.
    """
    only_staff(actor)
    async with house.db.reading() as tx:
        found = await _letter(tx, letter)
    return await _readable(house, Writer(), found, url, whole=_at_the_machine(actor))


def _at_the_machine(actor: Actor) -> bool:
    """True for commands: an admin without a person, a session or a token."""
    return actor.role is Role.ADMIN and actor.person is None and actor.session is None and not actor.token


async def _readable(house: House, writer: Writer, letter: Letter, url: str, *, whole: bool) -> Readable:
    try:
        composed = await _composed(house, letter, url)
    except LetterUnwritable as unwritable:
        return Readable(letter, fault=unwritable.sentence)
    if composed is None:
        return Readable(letter)
    words = composed.words if whole else veiled(composed.words)
    return Readable(letter, words.subject, writer.text(words, composed.sender))


async def _composed(house: House, letter: Letter, url: str) -> Composed | None:
    """`compose`; `LetterUnwritable` for whatever goes wrong in it, as the worker parks such a letter and goes on."""
    try:
        return await compose(house, letter, url, house.clock())
    except Refusal:
        raise  # of all of them: the database is away
    except Exception as error:
        name = type(error).__name__
        log.error("letter_not_written", letter=letter.id, kind=letter.kind, error=name)
        raise LetterUnwritable(f"{LetterUnwritable().sentence} ({name})") from error


async def send_again(house: House, actor: Actor, letter: str, url: str, key: str | None = None) -> Letter:
    """Let a letter go once more, now, under the Message-ID it had; as it stands afterwards. Staff only.

    One that waits already is not doubled: at most it is tried sooner. The same ``key`` sends it once. Errors: `NotFound`,
    `LetterOff`, `LetterOvertaken` (it would only be dropped), `LetterUnwritable`, `IdempotencyMismatch`.
    """
    only_staff(actor)
    asked = _Asked(actor, letter, key)
    async with house.db.reading() as tx:
        found, before = await _letter(tx, letter), await asked.before(tx)
    if before:
        return found
    await _still_goes(house, found, url)

    async def work(tx: Transaction) -> Letter:
        now, found = house.clock(), await _letter(tx, letter, lock=True)
        if not await asked.before(tx):  # else the same request, sent twice at once, came first
            await _again(tx, actor, found, now)
            await asked.keep(tx, now)
        return await _letter(tx, letter)

    try:
        return await house.db.retrying(work)
    except ConstraintViolated as violated:
        if violated.name != KEY:
            raise
        raise IdempotencyMismatch from violated  # the key was another letter's in the same moment


async def _letter(tx: Transaction, id: str, *, lock: bool = False) -> Letter:
    found = await outbox.by_id(tx, id, lock=lock)
    if found is None:
        raise NotFound("There is no letter with this id.")
    return found


async def _still_goes(house: House, letter: Letter, url: str) -> Composed:
    if letter.kind in house.settings.now.letters_off:
        raise LetterOff
    composed = await _composed(house, letter, url)
    if composed is None:
        raise LetterOvertaken
    return composed


async def _again(tx: Transaction, actor: Actor, letter: Letter, now: datetime) -> None:
    """Audited with the state it was in; nothing is written where nothing changed."""
    if letter.state in (LetterState.WAITING, LetterState.RETRYING):
        if not await outgoing.hasten(tx, letter, now + LEASE):
            return
    else:
        await outgoing.again(tx, letter, now)
    before = {"state": letter.state, "sent_at": letter.sent_at.isoformat() if letter.sent_at else None}
    await audit.write(tx, now, actor.signed, "letter.again", letter.id, before=before)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that may be sent again with its key."""

    actor: Actor
    letter: str
    key: str | None

    async def before(self, tx: Transaction) -> bool:
        """True if it was answered before; `IdempotencyMismatch` if the key was another request's."""
        return self.key is not None and await audit.answered(tx, self.key, self._who, self._body) is not None

    async def keep(self, tx: Transaction, now: datetime) -> None:
        """Remember it, in the transaction that did it."""
        if self.key is not None:
            await audit.keep_answer(tx, self.key, self._who, self._body, Answer(200, {"letter": self.letter}), now)

    @property
    def _who(self) -> str:
        return self.actor.signed[:64]

    @property
    def _body(self) -> bytes:
        return msgspec.json.encode(("letter.again", self.letter))
