"""Technicians' phones for tests: a web process with their doors behind a real uvicorn, and a raw client."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import websockets
from websockets.asyncio.client import ClientConnection, connect

from tests.serving import config_for, free_socket, serving
from tests.world import NOW, PLACE, Clock, process
from tracker.actions.house import House
from tracker.actions.people.accounts import hashed
from tracker.app import create_app
from tracker.domain.geo import moved
from tracker.records import technicians
from tracker.records.database import Database

type Start = Callable[[], Awaitable[Web]]
"""Starts a web process on the database and Redis of the test."""

TOKEN = "t0ken-of-mayas-phone"


@dataclass
class Web:
    """One web process."""

    house: House
    http: httpx.AsyncClient
    origin: str

    @property
    def address(self) -> str:
        return self.origin.replace("http", "ws") + "/ws/technician"


@asynccontextmanager
async def web(db: Database, redis_url: str, data: Path, clock: Clock) -> AsyncIterator[Web]:
    """A process as the composition makes it, in this one's loop."""
    async with process(db, redis_url, clock) as house:
        bound = free_socket()
        config = config_for(bound, data)
        async with serving(create_app(house, config), bound) as http:
            yield Web(house, http, config.public.url)


async def give_token(db: Database, device: str, token: str = TOKEN) -> None:
    """Let this device's token be known."""
    async with db.transaction() as tx:
        await tx.change(technicians.devices.update().where(technicians.devices.c.id == device).values(token_hash=hashed(token)))


def fix(seq: int, seconds: float = 0.0, **values: Any) -> dict[str, Any]:
    """One ping as it is sent: a van driving east at ten metres a second, ``seconds`` after NOW."""
    place = moved(PLACE, 90, 10 * max(seconds, 0))
    at = (NOW + timedelta(seconds=seconds)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"seq": seq, "at": at, "lat": place.lat, "lon": place.lon, "acc": 5.0, "speed": 10.0, "course": 90.0, **values}


class PhoneClient:
    """A phone that says exactly what it is told to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    @classmethod
    @asynccontextmanager
    async def at(cls, web: Web, **options: Any) -> AsyncIterator[Self]:
        """A socket that has not said hello."""
        async with connect(web.address, compression=None, proxy=None, max_size=None, **options) as socket:
            yield cls(socket)

    @classmethod
    @asynccontextmanager
    async def known(cls, web: Web, *, token: str = TOKEN, boot: str = "boot", first: int = 1) -> AsyncIterator[Self]:
        """A socket that was welcomed."""
        async with cls.at(web) as phone:
            phone.welcomed = await phone.hello(token, boot, first)
            yield phone

    welcomed: dict[str, Any]

    async def hello(self, token: str | None = TOKEN, boot: str = "boot", first: int = 1) -> dict[str, Any]:
        said = {"type": "hello", "boot": boot, "first": first, "device": "pixel-7"}
        return await self.ask(said | ({"token": token} if token is not None else {}))

    async def say(self, frame: object) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            return json.loads(await self.socket.recv())

    async def ask(self, frame: object) -> dict[str, Any]:
        await self.say(frame)
        return await self.hear()

    async def pings(self, *fixes: dict[str, Any], sent: datetime | None = None) -> dict[str, Any]:
        frame: dict[str, Any] = {"type": "pings", "pings": list(fixes)}
        return await self.ask(frame | ({"sent": sent.isoformat()} if sent else {}))

    async def closed(self) -> int:
        """The close code; whatever is said before it is passed over."""
        async with asyncio.timeout(60):
            try:
                while True:
                    await self.socket.recv()
            except websockets.ConnectionClosed:
                return self.socket.close_code or 0
