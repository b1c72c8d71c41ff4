"""The worker's post: due letters are leased, written, handed in one by one, and each is marked as soon as it is taken (N3)."""

import asyncio
import contextlib
import secrets
import ssl
import time
from datetime import datetime, timedelta

import structlog

from tracker import metrics
from tracker.actions.house import House
from tracker.actions.letters.carried_links import keep
from tracker.actions.letters.composing import compose
from tracker.actions.letters.informing import UNDOABLE
from tracker.actions.loops import every
from tracker.domain.retries import given_up, wait_s
from tracker.errors import Unavailable
from tracker.post.message import BadAddress, Envelope, Writer, address_of
from tracker.post.server import Post, Server
from tracker.post.smtp import WAITS, Away, Connection, Later, Never, Waits, connected
from tracker.records import outbox, outgoing
from tracker.records.outbox import Letter

LOOK_S = 1.0
BATCH = 20
BATCH_S = 120.0
"""No letter of a batch is begun after this: the lease must not run out under it."""
LEASE = timedelta(seconds=BATCH_S + 2 * WAITS.letter_s + WAITS.connect_s)
_CAN_BE_WRONG = frozenset(UNDOABLE.values())
"""Letters that another one may have to put right: what is not known of them must be known to be unknown."""
REST_MOST = 6
"""A server that is away is tried again within 30 s · 2⁵ = 16 minutes at most."""

log = structlog.get_logger()


async def post_letters(house: House, stop: asyncio.Event) -> None:
    """Send what is due, looking every second, until told to stop."""
    await every("post_letters", LOOK_S, stop, Postman(house, stop).turn)


class Postman:
    """One worker's way to the mail server, and how long it leaves that server in peace."""

    def __init__(
        self, house: House, stop: asyncio.Event | None = None, waits: Waits = WAITS, tls: ssl.SSLContext | None = None
    ) -> None:
        """``tls``: other authorities than the machine's."""
        self._house = house
        self._stop = stop or asyncio.Event()
        self._waits, self._tls = waits, tls
        self._writer = Writer()
        self._failures = 0
        self._rest_until: datetime | None = None

    async def turn(self) -> int:
        """Send batches until nothing is due, or the server is away; how many letters were taken."""
        taken = 0
        post = self._house.post
        while post is not None and post.server is not None and not self._stop.is_set() and not self._resting():
            now = self._house.clock()
            async with self._house.db.transaction() as tx:
                batch = await outgoing.lease(tx, now, now + LEASE, BATCH)
            if not batch:
                break
            taken += await self._batch(post, post.server, batch)
        await self._measure()
        return taken

    def _resting(self) -> bool:
        return self._rest_until is not None and self._house.clock() < self._rest_until

    async def _batch(self, post: Post, server: Server, left: list[Letter]) -> int:
        """Hand in what was leased, each written just before it goes; what is not begun goes back."""
        begun, taken, connection = time.monotonic(), 0, None
        try:
            async with contextlib.AsyncExitStack() as stack:
                while left and not self._stop.is_set() and time.monotonic() - begun < BATCH_S:
                    message = await self._written(post, left[0])
                    if message is not None and connection is None:
                        connection = await stack.enter_async_context(connected(server, self._waits, self._tls))
                        self._failures, self._rest_until = 0, None
                    letter = left.pop(0)
                    if message is not None and connection is not None:
                        taken += await self._hand_in(connection, post, letter, message)
        except Away as away:
            if not taken:  # else one letter broke it, perhaps: the others get a new connection at once
                self._rest(away)
        finally:
            async with self._house.db.transaction() as tx:
                await outgoing.release(tx, left)
        return taken

    def _rest(self, trouble: Away) -> None:
        self._failures += 1
        wait = wait_s(min(self._failures, REST_MOST), secrets.randbelow(1000) / 1000)
        self._rest_until = self._house.clock() + timedelta(seconds=wait)
        log.warning("mail_server_away", reason=trouble.why, failures=self._failures, wait_s=round(wait))

    async def _written(self, post: Post, letter: Letter) -> bytes | None:
        """The letter as a message; None if it is not to go. One that cannot be written is parked, and keeps no other back."""
        now = self._house.clock()
        try:
            message = await self._message(post, letter, now)
        except Unavailable:
            raise  # of all of them: the lease runs out
        except BadAddress:
            await self._park(letter, "the address cannot be sent")
            return None
        except Exception as error:
            log.error("letter_not_written", letter=letter.id, kind=letter.kind, error=type(error).__name__)
            await self._park(letter, f"could not be written ({type(error).__name__})")
            return None
        if message is None:
            async with self._house.db.transaction() as tx:
                await outgoing.drop(tx, letter, now)
            metrics.LETTERS.labels(letter.kind, "overtaken").inc()
        return message

    async def _message(self, post: Post, letter: Letter, now: datetime) -> bytes | None:
        composed = await compose(self._house, letter, post.url, now)
        if composed is None:
            return None
        if composed.link is not None:
            await keep(self._house, composed.link, now)
        envelope = Envelope(sender=post.sender, recipient=letter.recipient, name=composed.name, message_id=letter.message_id)
        return self._writer.message(envelope, composed.words, composed.sender, now, composed.calendar)

    async def _hand_in(self, connection: Connection, post: Post, letter: Letter, message: bytes) -> int:
        """1 if it was taken. A connection that is no good any more raises `Away`, when the letter was put off."""
        if letter.kind in _CAN_BE_WRONG:
            async with self._house.db.transaction() as tx:
                await outgoing.begin(tx, letter)
        try:
            await connection.send(post.sender, address_of(letter.recipient), message)
        except Never as never:
            await self._park(letter, never.why)
            return 0
        except Later as later:
            await self._put_off(letter, later)
            if later.broken:
                raise Away(later.why) from later
            return 0
        async with self._house.db.transaction() as tx:
            await outgoing.sent(tx, letter, self._house.clock())
        metrics.LETTERS.labels(letter.kind, "sent").inc()
        return 1

    async def _put_off(self, letter: Letter, later: Later) -> None:
        again = self._house.clock() + timedelta(seconds=wait_s(letter.attempts + 1, secrets.randbelow(1000) / 1000))
        if given_up(letter.due_at, again):
            await self._park(letter, f"given up after two days ({later.why})", unsure=later.unknown)
            return
        async with self._house.db.transaction() as tx:
            await outgoing.put_off(tx, letter, again, later.why, unsure=later.unknown)
        metrics.LETTERS.labels(letter.kind, "put_off").inc()

    async def _park(self, letter: Letter, why: str, *, unsure: bool = False) -> None:
        async with self._house.db.transaction() as tx:
            await outgoing.park(tx, letter, self._house.clock(), why, unsure=unsure)
        log.warning("letter_parked", letter=letter.id, kind=letter.kind, reason=why)
        metrics.LETTERS.labels(letter.kind, "parked").inc()

    async def _measure(self) -> None:
        """How it stands, for whoever watches over the numbers."""
        now = self._house.clock()
        async with self._house.db.reading() as tx:
            state = await outbox.state(tx, now)
        metrics.LETTERS_WAITING.set(state.waiting)
        metrics.LETTERS_OLDEST.set((now - state.oldest).total_seconds() if state.oldest else 0)
        metrics.LETTERS_FAILED.set(state.failed)
