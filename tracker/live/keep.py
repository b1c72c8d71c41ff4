"""One batch of pings into Redis and what became of each: the Python side of `keep.lua`."""

from asyncio import gather
from datetime import UTC, datetime
from typing import NamedTuple, cast

from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import Client, Redis
from tracker.live.positions import STREAM_CAP
from tracker.live.script import Line, Script

LAST_MS = 3_600_000
"""A believed position is kept an hour after the last newer one (or a minute less)."""


class Item(NamedTuple):
    """What one phone sent, judged. Field order is that of `keep.lua`; times are milliseconds since the epoch.

    ``fix`` 0: nothing here may move the marker. ``head`` is the position's JSON without its closing brace (Redis adds
    contact and interval), ``ping`` that same ping as a line of JSON (for a process that must judge after this one),
    ``points`` all that may be stored, each (fix time, such a line). ``expected`` is the version this was judged against.
    """

    technician: str
    tag: str
    device: str
    expected: str
    version: str
    fix: int
    lat: float
    lon: float
    head: str
    ping: str
    leg: str
    eta: str
    points: list[tuple[int, str]]
    boot: str
    dealt: str


KEPT, UNSTORED, GATELESS, NEWER = "k", "u", "g", "n"
UNREACHED = "x"
"""Not Redis' word but ours: the part of a cluster that holds this technician did not answer."""


class Answer(NamedTuple):
    """What the gate said of one item; leg, appointment, serial, interval and sharing are the gate's."""

    code: str
    moved: bool = False
    leg: str = ""
    appointment: str = ""
    serial: str = ""
    interval_s: int = 0
    sharing: bool = True
    version: str = ""
    ping: str = ""
    device: str = ""


class Keeper:
    """Sends batches, one after another: one call on one server, one call a bucket in parallel on a cluster."""

    def __init__(self, client: Client) -> None:
        self._line = Line(client) if isinstance(client, Redis) else None
        self._script = Script(client, "keep", self._line)

    async def close(self) -> None:
        """Give the connection back."""
        if self._line is not None:
            await self._line.close()

    async def keep(self, items: list[Item], now: datetime) -> list[Answer]:
        """Keep a batch. Raises LiveUnavailable: then nothing may be acknowledged, and sending it again is harmless."""
        text = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = [round(now.timestamp() * 1000), text, keys.new_epoch(), LAST_MS, STREAM_CAP]
        if self._line is not None:
            return [_answer(row) for row in await self._script(keys.ALL_TAGS[0], [*head, items])]
        groups: dict[str, list[int]] = {}
        for i, item in enumerate(items):
            groups.setdefault(item.tag, []).append(i)
        parts = await gather(*(self._part(tag, [*head, [items[i] for i in which]]) for tag, which in groups.items()))
        answers: list[Answer] = [Answer(UNREACHED)] * len(items)
        for which, part in zip(groups.values(), parts, strict=True):
            for i, row in zip(which, part or (), strict=part is not None):
                answers[i] = _answer(row)
        return answers

    async def _part(self, tag: str, argument: list[object]) -> list[list[object]] | None:
        """A bucket's answers; None if its node is away: the others' phones need not wait for that."""
        try:
            return cast(list[list[object]], await self._script(tag, argument))
        except LiveUnavailable:
            return None


def _answer(row: list[object]) -> Answer:
    match row:
        case [code]:
            return Answer(str(code))
        case ["n", version, ping, device]:
            return Answer(NEWER, version=str(version), ping=str(ping), device=str(device))
        case [code, moved, leg, appointment, serial, interval, sharing]:
            return Answer(str(code), bool(moved), str(leg), str(appointment), str(serial), int(str(interval)), sharing == "1")
    raise ValueError("keep.lua and keep.py do not agree")
