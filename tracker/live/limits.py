"""How often something may be tried: counters in Redis shared by all processes, in this process's memory while Redis is away."""

import hashlib
from datetime import datetime
from typing import Any

from tracker.live.connect import AWAY, Client, RedisError

MOST_KEYS = 20_000
"""Counters kept in memory at most; the oldest window goes first."""

_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""
# one step in Redis: a key that ran out between two commands would be counted up for ever, and lock somebody out for good


class Limits:
    """Fixed windows. Names and keys never stand in Redis in clear: an address there would be personal data."""

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._counts: dict[str, tuple[datetime, int]] = {}

    async def within(self, what: str, key: str, most: int, window_s: int, now: datetime) -> bool:
        """Count one try of ``what`` by ``key``; False if it is more than ``most`` within the window begun by the first."""
        name = _name(what, key)
        count = await self._shared(name, window_s)
        if count is None:
            count = self._own(name, window_s, now)
        return count <= most

    async def forget(self, what: str, key: str) -> None:
        """Begin anew: the tries ended well."""
        name = _name(what, key)
        self._counts.pop(name, None)
        if self._client is not None:
            try:
                await self._client.delete(name)
            except (*AWAY, RedisError):
                return

    async def _shared(self, name: str, window_s: int) -> int | None:
        if self._client is None:
            return None
        try:
            counted: Any = await self._client.eval(_COUNT, 1, name, window_s)
            return int(counted)
        except (*AWAY, RedisError):
            return None

    def _own(self, name: str, window_s: int, now: datetime) -> int:
        since, count = self._counts.pop(name, (now, 0))
        if (now - since).total_seconds() >= window_s:
            since, count = now, 0
        self._counts[name] = (since, count + 1)
        while len(self._counts) > MOST_KEYS:
            self._counts.pop(next(iter(self._counts)))
        return count + 1


def _name(what: str, key: str) -> str:
    return f"limit:{what}:{hashlib.sha256(key.encode('utf-8', 'replace')).hexdigest()[:24]}"
