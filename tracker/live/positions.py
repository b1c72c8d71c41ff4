"""Where technicians are just now: gates, visits and routes in Redis, each change one function there."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from tracker.domain.appointments import State
from tracker.domain.geo import Point
from tracker.domain.ways import StoredRoute
from tracker.errors import LiveUnavailable
from tracker.live import board, keys
from tracker.live.connect import AWAY, Client
from tracker.live.gate import LEASE_MS, Gate, packed, unpacked
from tracker.live.routes import Routes
from tracker.live.script import Script

FENCE_MS = 30 * 86_400_000
"""How long a fence is kept after the last gate: far longer than any stale reader lives."""

STREAM_CAP = 50_000
"""Entries of one bucket's trail or told stream at most: what a dead worker may cost, not what a live one leaves."""

type Ask = Callable[..., Awaitable[object]]
"""`Control.ask`."""


async def _nobody(_kind: str, _id: str, *, after: str | None = None) -> None:
    """No hub to wait for: a process without viewers on a single-process installation, and tests."""


@dataclass(frozen=True, slots=True)
class VisitNow:
    """What viewers of a visit may be told, as Redis holds it. Whether to show it, SQL decides (`domain/visibility`).

    ``position`` and ``eta`` are JSON objects as in docs/protocols.md, None if nothing was shown since the last closing;
    ``leg`` is the one they belong to; ``route`` the serial of that leg's route.
    """

    epoch: str
    offset: int
    leg: str | None
    position: dict[str, Any] | None
    eta: dict[str, Any] | None
    route: int | None


class Positions:
    """Gates, visits and routes. Every method raises LiveUnavailable if Redis does not answer."""

    def __init__(self, client: Client, ask: Ask = _nobody) -> None:
        self.client = client
        self._ask = ask
        self._gate, self._close, self._visit = (Script(client, name) for name in ("gate", "close", "visit"))
        self.routes = Routes(client)

    # -- the gate ------------------------------------------------------------------------------------------------------

    async def set_gate(self, gate: Gate) -> bool:
        """Set a gate for the length of a lease. False: a newer opening or closing has fenced it off."""
        return await self.renew([gate]) == [0]

    async def renew(self, gates: Iterable[Gate]) -> list[int]:
        """Set many gates, one call a bucket. Per gate 0, or the fence that refused it."""
        gates = list(gates)
        places: dict[str, list[int]] = {}
        for i, gate in enumerate(gates):
            places.setdefault(keys.tag(gate.technician), []).append(i)
        refused = [0] * len(gates)
        for tag, which in places.items():
            rows = [[tag, gates[i].technician, gates[i].gen, packed(gates[i])] for i in which]
            for i, fence in zip(which, await self._gate(tag, [LEASE_MS, FENCE_MS, rows]), strict=True):
                refused[i] = fence
        return refused

    async def gate(self, technician: str) -> Gate | None:
        """The gate as it stands; None if its lease has run out."""
        fields = await self._read("hgetall", f"{keys.tag(technician)}gate:{technician}")
        return unpacked(technician, fields) if fields else None

    async def close(self, technician: str, appointment: str | None, gen: int, *, forget: bool = False) -> None:
        """End what may be seen of a technician; call it inside the closing transaction, before its commit.

        Gate, shown position, ETA and route are gone and older gates fenced off when this returns, and every process
        with viewers of the visit has answered that nothing of it waits to be sent. ``forget`` (pause, end of duty)
        takes the technician from the staff's map as well. ``gen`` is the new ``gate_version``.
        """
        tag = keys.tag(technician)
        await self._close(tag, [tag, technician, appointment or "", gen, FENCE_MS, forget, keys.new_epoch()])
        if appointment:
            await self._ask("visit", appointment, after=tag)

    async def restore(self, gate: Gate) -> bool:
        """Set the gate again after a closing that was rolled back; ``gate.gen`` must have been raised for it."""
        return await self.set_gate(gate)

    # -- visits --------------------------------------------------------------------------------------------------------

    async def publish_state(self, technician: str, appointment: str, state: State, at: datetime, *, ended: bool) -> int:
        """Tell viewers a state; the last sixteen are kept for those who resume. Returns its offset."""
        text = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        answer = await self._speak(technician, appointment, "state", state.value, text, ended, STREAM_CAP)
        return int(answer[1])

    async def visit(self, technician: str, appointment: str) -> VisitNow:
        """A visit as it stands; one that nobody spoke of yet gets its epoch here."""
        epoch, offset, leg, position, eta, serial = await self._speak(technician, appointment, "read")
        return VisitNow(epoch, offset, leg or None, _object(position), _object(eta), int(serial) if serial else None)

    async def events_after(self, technician: str, appointment: str, epoch: str, offset: int) -> list[dict[str, Any]] | None:
        """The state events after an offset, oldest first: ``{"ep", "o", "k": "state", "s", "at", "ended"}``.

        None if that cannot be told: another epoch, an offset from the future, or more was said than is kept.
        """
        key = f"{keys.tag(technician)}visit:{appointment}"
        said_epoch, last = await self._read("hmget", key, ["epoch", "off"])
        if said_epoch is None or said_epoch.decode() != epoch or offset > int(last or 0):
            return None
        events = [msgspec.json.decode(row) for row in await self._read("lrange", f"{key}:events", 0, -1)]
        if len(events) == 16 and events[0]["o"] > offset + 1:
            return None
        return [event for event in events if event["o"] > offset]

    async def _speak(self, technician: str, appointment: str, kind: str, *arguments: object) -> list[Any]:
        tag = keys.tag(technician)
        return cast(list[Any], await self._visit(tag, [tag, appointment, keys.new_epoch(), kind, *arguments]))

    # -- routes --------------------------------------------------------------------------------------------------------

    async def store_route(self, technician: str, appointment: str, leg: str, route: StoredRoute) -> bool:
        """Keep the route of the leg under way and tell viewers its serial. False: that leg is not under way."""
        return await self.routes.store(technician, appointment, leg, route)

    async def route_of(self, technician: str, leg: str) -> StoredRoute | None:
        """The route of a leg; None if there is none (yet, or any more)."""
        return await self.routes.of(technician, leg)

    # -- phones --------------------------------------------------------------------------------------------------------

    async def dealt(self, technician: str, device: str, boot: str) -> str | None:
        """Which pings of a boot have been dealt with, as the receiver wrote it; None for an unknown boot."""
        value = await self._read("hget", f"{keys.tag(technician)}boot:{device}", boot)
        return None if value is None else cast(bytes, value).decode()

    async def adopt(self, technician: str, device: str, boot: str, dealt: str) -> None:
        """Begin a boot of a device where its phone says. A device with many boots (a broken app) starts afresh."""
        key = f"{keys.tag(technician)}boot:{device}"
        if await self._read("hlen", key) >= 16:
            await self._read("delete", key)
        await self._read("hset", key, boot, dealt)
        await self._read("pexpire", key, FENCE_MS)

    # -- what staff ask (see live/board) -------------------------------------------------------------------------------

    async def last(self, technician: str) -> board.Standing | None:
        """The last believed position of a technician; None if there is none (any more)."""
        return await board.last(self.client, technician)

    async def on_duty(self) -> list[board.Standing]:
        """Everyone who has a position."""
        return await board.on_duty(self.client)

    async def nearest(self, point: Point, radius_m: float, count: int = 20) -> list[tuple[board.Standing, float]]:
        """The technicians nearest to a place with their distance in metres, from all buckets."""
        return await board.nearest(self.client, point, radius_m, count)

    async def _read(self, command: str, *arguments: Any) -> Any:
        try:
            return await getattr(self.client, command)(*arguments)
        except AWAY as error:
            raise LiveUnavailable from error


def _object(text: str | bytes) -> dict[str, Any] | None:
    return cast(dict[str, Any], msgspec.json.decode(text)) if text else None
