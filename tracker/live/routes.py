"""The routes of legs under way, and the list of legs that want one."""

from typing import Any, cast

import msgspec

from tracker.domain.ways import StoredRoute
from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import AWAY, Client
from tracker.live.script import Script

CLAIM_MS = 10_000
"""Who asked for a leg's route asked for all processes, this long."""
MOST_WANTED = 10_000


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """A route is wanted from here to the appointment; ``heading`` in degrees if the vehicle moves."""

    technician: str
    appointment: str
    leg: str
    lat: float
    lon: float
    heading: float | None = None


class Routes:
    """Routes in Redis. Every method raises LiveUnavailable if it does not answer."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._visit = Script(client, "visit")

    async def of(self, technician: str, leg: str) -> StoredRoute | None:
        """The route of a leg; None if there is none (yet, or any more)."""
        text = await self._call("get", f"{keys.tag(technician)}route:{leg}")
        return StoredRoute.from_json(text) if text else None

    async def store(self, technician: str, appointment: str, leg: str, route: StoredRoute) -> bool:
        """Keep the route of the leg under way and tell viewers its serial. False: that leg is not under way."""
        tag = keys.tag(technician)
        said = [tag, appointment, keys.new_epoch(), "route", technician, leg, route.serial, route.to_json().decode()]
        return bool(await self._visit(tag, said))

    async def want(self, wanted: Wanted) -> bool:
        """Ask the worker for a route, once for all processes. False: another asked just now."""
        claim = f"{keys.tag(wanted.technician)}claim:{wanted.leg}"
        if not await self._call("set", claim, "1", nx=True, px=CLAIM_MS):
            return False
        await self._call("lpush", keys.ROUTES_WANTED, msgspec.json.encode(wanted))
        await self._call("ltrim", keys.ROUTES_WANTED, 0, MOST_WANTED)
        return True

    async def next_wanted(self, wait_s: float) -> Wanted | None:
        """The leg that waits longest for a route; None if none came within the time."""
        answer = await self._call("brpop", [keys.ROUTES_WANTED], timeout=wait_s)
        return msgspec.json.decode(answer[1], type=Wanted) if answer else None

    async def _call(self, command: str, *arguments: Any, **options: Any) -> Any:
        try:
            return cast(Any, await getattr(self._client, command)(*arguments, **options))
        except AWAY as error:
            raise LiveUnavailable from error
