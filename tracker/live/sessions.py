"""Viewers' sockets by session: they end with it, also if it was ended while nobody could tell this process."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from tracker.errors import Refusal
from tracker.live.looking import Look
from tracker.live.viewers import Seen, Socket, close_all

AGAIN_S = 0.25

type Living = Callable[[Collection[str]], Awaitable[set[str]]]
"""Which of some sessions have not ended, as SQL says it."""

log = structlog.get_logger()


async def everybody(sessions: Collection[str]) -> set[str]:
    """Where no session ends unheard."""
    return set(sessions)


class Sessions:
    """One per process."""

    def __init__(self) -> None:
        self._sockets: dict[str, set[Socket]] = {}
        self._judging = 0
        self._judged = asyncio.Event()
        self._judged.set()

    def count(self, session: str) -> int:
        """How many sockets of a session are open here."""
        return len(self._sockets.get(session, ()))

    def everyone(self) -> list[Socket]:
        """Every socket."""
        return [socket for sockets in self._sockets.values() for socket in sockets]

    def expect(self, socket: Socket) -> None:
        """A socket of this session is open."""
        self._sockets.setdefault(socket.session, set()).add(socket)

    def forget(self, socket: Socket) -> None:
        """The socket is gone."""
        others = self._sockets.get(socket.session, set())
        others.discard(socket)
        if not others:
            self._sockets.pop(socket.session, None)

    async def end(self, session: str) -> None:
        """Close every socket of a session."""
        await close_all(self._sockets.get(session, set()), 4401)

    async def judge(self, living: Living) -> None:
        """Close whose session was ended unheard; until that is known nothing is looked at for anybody."""
        self._judged.clear()
        self._judging += 1
        while True:
            try:
                asked = list(self._sockets)  # who comes meanwhile is not judged here: their door asks after `expect`
                gone = set(asked) - await living(asked)
                break
            except Refusal as refusal:
                log.warning("sessions_not_judged", reason=refusal.code)
                await asyncio.sleep(AGAIN_S)
        for session in gone:
            await self.end(session)
        self._judging -= 1
        if not self._judging:
            self._judged.set()

    def judged_first(self, look: Look) -> Look:
        """The look, held back while sessions are in doubt."""

        async def judged(appointment: str, technician: str | None) -> Seen:
            await self._judged.wait()
            return await look(appointment, technician)

        return judged
