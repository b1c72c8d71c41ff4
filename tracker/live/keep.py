"""One batch of pings into Redis and what became of each: the Python side of `keep.lua`."""

import asyncio
from asyncio import gather
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

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


TRIES = 2
"""The second finds a Redis whose connection had ended unnoticed; more would only hold the phone's ack."""

type Tell = Callable[[list[Answer] | BaseException], None]


class Keeper:
    """Sends batches, one after another: one call on one server, one call a bucket in parallel on a cluster."""

    def __init__(self, client: Client) -> None:
        self._line = Line(client) if isinstance(client, Redis) else None
        self._script = Script(client, "keep", self._line)
        self._keeping: set[asyncio.Task[list[Answer]]] = set()

    async def close(self) -> None:
        """Give the connection back."""
        if self._line is not None:
            await self._line.close()

    def begin(self, items: list[Item], now: datetime, tell: Tell) -> None:
        """`keep` without a coroutine, task or future where that can be done: ``tell`` hears the answers, or an exception."""

        def heard(answer: Any) -> None:
            if isinstance(answer, Exception):
                self._later(items, now, tell, TRIES - 1)  # on a new line, or with the function's text
            else:
                tell(_answers(answer))

        if not self._script.ask(heard, keys.ALL_TAGS[0], [*_head(now), items]):
            self._later(items, now, tell, TRIES)

    def _later(self, items: list[Item], now: datetime, tell: Tell, tries: int) -> None:
        task = asyncio.create_task(self.keep(items, now, tries))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        task.add_done_callback(lambda done: None if done.cancelled() else tell(done.exception() or done.result()))

    async def keep(self, items: list[Item], now: datetime, tries: int = TRIES) -> list[Answer]:
        """Keep a batch. Raises LiveUnavailable: then nothing may be acknowledged, and sending it again is harmless."""
        head = _head(now)
        if self._line is not None:
            return [_answer(row) for row in await self._tried([*head, items], tries)]
        groups: dict[str, list[int]] = {}
        for i, item in enumerate(items):
            groups.setdefault(item.tag, []).append(i)
        parts = await gather(*(self._part(tag, [*head, [items[i] for i in which]]) for tag, which in groups.items()))
        answers: list[Answer] = [Answer(UNREACHED)] * len(items)
        for which, part in zip(groups.values(), parts, strict=True):
            for i, row in zip(which, part or (), strict=part is not None):
                answers[i] = _answer(row)
        return answers

    async def _tried(self, argument: list[object], tries: int) -> list[list[object]]:
        """The function's answer, from a new line if the one there was has ended unnoticed."""
        while True:
            try:
                return cast(list[list[object]], await self._script(keys.ALL_TAGS[0], argument))
            except LiveUnavailable:
                tries -= 1
                if not tries:
                    raise

    async def _part(self, tag: str, argument: list[object]) -> list[list[object]] | None:
        """A bucket's answers; None if its node is away: the others' phones need not wait for that."""
        try:
            return cast(list[list[object]], await self._script(tag, argument))
        except LiveUnavailable:
            return None


def _head(now: datetime) -> list[object]:
    text = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return [round(now.timestamp() * 1000), text, keys.new_epoch(), LAST_MS, STREAM_CAP]


def _answers(rows: list[list[object]]) -> list[Answer] | Exception:
    """What the gate said, or why that makes no sense: whoever waits must hear in any case."""
    try:
        return [_answer(row) for row in rows]
    except Exception as error:
        return error


def _answer(row: list[object]) -> Answer:
    match row:
        case [code]:
            return Answer(str(code))
        case ["n", version, ping, device]:
            return Answer(NEWER, version=str(version), ping=str(ping), device=str(device))
        case [code, moved, leg, appointment, serial, interval, sharing]:
            return Answer(str(code), bool(moved), str(leg), str(appointment), str(serial), int(str(interval)), sharing == "1")
    raise ValueError("keep.lua and keep.py do not agree")
