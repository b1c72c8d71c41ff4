"""Passwords: argon2id off the event loop, a few at a time, the same work whether the person exists or not."""

import asyncio
from collections.abc import Callable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tracker.domain.passwords import LEAST, MOST, normal
from tracker.errors import BadInput, TooManyRequests

AT_ONCE, WAITING = 2, 64
"""Hashes computed at once (64 MiB and a core's tenth of a second each), and how many may wait for their turn."""


class Passwords:
    """One per process: the cap counts everything that is hashed in it."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # argon2id, the library's defaults: RFC 9106's low-memory choice
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        """The hash of a new password; `BadInput` if it is too short or far too long."""
        if not LEAST <= len(password) <= MOST:
            raise BadInput(f"A password has {LEAST} to {MOST} characters.")
        return await self._off_the_loop(self._hasher.hash, normal(password))

    async def right(self, password: str, known: str | None) -> bool:
        """True if the password is the one of this hash. ``known`` None (nobody, or nobody with a password) costs the same."""
        if self._nobodys is None:
            self._nobodys = await self._off_the_loop(self._hasher.hash, "nobody has this password")
        fits = len(password) <= MOST
        same = await self._off_the_loop(self._verified, known or self._nobodys, normal(password) if fits else "")
        return same and fits and known is not None

    def outdated(self, known: str) -> bool:
        """True if the hash was made with other settings than today's."""
        return self._hasher.check_needs_rehash(known)

    def _verified(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _off_the_loop[*A, R](self, work: Callable[[*A], R], *arguments: *A) -> R:
        if self._waiting >= WAITING:
            raise TooManyRequests
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work, *arguments)
        finally:
            self._waiting -= 1
