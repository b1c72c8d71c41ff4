"""Viewers on `/ws/live`, who answer `seen`, resume and check what they are told; and viewers who poll."""

import asyncio
import random
import time
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from simulator.journal import Journal
from simulator.phones.base import Target, tls
from simulator.site import Site
from simulator.witness import Witness

LONGEST_SILENCE_S = 25.0
"""A beat is promised every 20 s."""

_GIVE_UP = frozenset({1008, 4401, 4403})


class Viewer:
    """One page that stays open: reconnects with jitter, resumes by epoch and offset."""

    def __init__(self, site: Site, appointment: str, name: str, *, journal: Journal | None = None, seed: int = 0) -> None:
        self.site, self.appointment, self.name = site, appointment, name
        self.witness = Witness()
        if journal is not None:
            self.witness.seen = lambda fix_at_ms: journal.seen(name, fix_at_ms)
        self.connections = 0
        self.watching = asyncio.Event()
        """Set once the first snapshot is there."""
        self._random = random.Random(f"{seed}/{name}")
        self._socket: ClientConnection | None = None

    async def run(self) -> None:
        """Watches until the visit is over or the server sends the viewer away."""
        attempt = 0
        while not self.witness.over:
            before = self.witness.frames.total()
            code = await self._connect_once()
            if code in _GIVE_UP:
                self.witness.broken.append(f"closed {code}")
                return
            attempt = 0 if self.witness.frames.total() > before else attempt + 1
            if not self.witness.over:
                await asyncio.sleep(self._random.uniform(0.1, min(10.0, 0.5 * 2 ** min(attempt, 6))))

    def cut(self) -> None:
        """Tears the connection, as a phone in a lift does."""
        if self._socket is not None:
            self._socket.transport.abort()

    async def _connect_once(self) -> int:
        options: dict[str, Any] = {"origin": self.site.origin, "additional_headers": self.site.headers, "compression": None}
        options |= tls(Target(self.site.url, "", verify=self.site.verify))
        try:
            async with connect(f"{self.site.websocket}/ws/live", open_timeout=10, **options) as socket:
                self._socket = socket
                self.connections += 1
                await self._watch(socket)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
        except InvalidStatus as refused:
            return {401: 4401, 403: 4403}.get(refused.response.status_code, 1006)
        except TimeoutError:
            self.witness.broken.append(f"silent for {LONGEST_SILENCE_S:.0f} s")
        except (OSError, WebSocketException):
            return 1006
        finally:
            self._socket = None
        return 1006

    async def _watch(self, socket: ClientConnection) -> None:
        asked: dict[str, Any] = {"type": "watch", "appointment": self.appointment}
        if self.witness.epoch is not None:
            asked |= {"epoch": self.witness.epoch, "offset": self.witness.offset}
        await socket.send(msgspec.json.encode(asked).decode())
        while not self.witness.over:
            async with asyncio.timeout(LONGEST_SILENCE_S):
                frame = msgspec.json.decode(await socket.recv())
            if self.witness.heard(frame):
                await socket.send(f'{{"type":"seen","offset":{frame["offset"]}}}')
            self.watching.set()


class PollingViewer:
    """A page behind a proxy without sockets: asks for the snapshot, with the ETag of the last one."""

    def __init__(self, site: Site, appointment: str, name: str, *, journal: Journal | None = None, every_s: float = 2.0) -> None:
        self.site, self.appointment, self.name, self.every_s = site, appointment, name, every_s
        self.witness = Witness()
        if journal is not None:
            self.witness.seen = lambda fix_at_ms: journal.seen(name, fix_at_ms, polled=True)
        self.unchanged = 0
        """How often the server said 304."""
        self.watching = asyncio.Event()
        self._etag: str | None = None

    async def run(self) -> None:
        """Polls until the visit is completed or canceled."""
        async with httpx.AsyncClient(verify=self.site.verify, headers=self.site.headers, timeout=10) as client:
            while not self.witness.over:
                began = time.monotonic()
                await self._ask(client)
                await asyncio.sleep(max(0.0, began + self.every_s - time.monotonic()))

    async def _ask(self, client: httpx.AsyncClient) -> None:
        headers = {"If-None-Match": self._etag} if self._etag else {}
        try:
            answer = await client.get(f"{self.site.url}/api/v1/appointments/{self.appointment}/live", headers=headers)
        except httpx.HTTPError:
            self.witness.frames["no answer"] += 1
            return
        if answer.status_code == 304:
            self.unchanged += 1
        elif answer.is_success:
            self._etag = answer.headers.get("ETag")
            self.witness.heard({"type": "snapshot", **answer.json()})
            self.watching.set()
        else:
            self.witness.frames[f"HTTP {answer.status_code}"] += 1
