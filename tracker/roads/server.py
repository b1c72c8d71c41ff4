"""The embedded router: Valhalla's own server out of its wheel, one watched child process for the whole machine.

Every process of the service may run an `EmbeddedValhalla` of the same folders: the one that holds the lock file runs the
child and writes its address beside it, the others read that. If the holder dies, its child dies with it and another takes
over.
"""

import asyncio
import contextlib
import fcntl
import json
from pathlib import Path
from typing import TextIO

import httpx
import structlog

from tracker.roads.child import end_child, free_port, start_child
from tracker.roads.client import client
from tracker.roads.config import binary, service_config

log = structlog.get_logger()

_PROBE_S = 2.0
"""Between two looks at the child."""
_PATIENCE_S = 3.0
"""A child that does not answer so long, twice running, is hung: one look may meet a busy machine."""
_LONGEST_PAUSE_S = 30.0


class EmbeddedValhalla:
    """Keeps one Valhalla server alive for a built region (see `tracker.roads.build`).

    ``region`` is the built folder, ``state`` a folder that this machine's processes share and may write. ``url`` is where
    it answers, or None while it does not: hand ``lambda: embedded.url`` to the client.
    """

    def __init__(
        self, region: Path, state: Path, *, threads: int = 1, probe_s: float = _PROBE_S, patience_s: float = _PATIENCE_S
    ) -> None:
        self.region, self.state, self.threads = region.absolute(), state.absolute(), threads
        self.probe_s, self.patience_s = probe_s, patience_s
        self.url: str | None = None
        self.child: asyncio.subprocess.Process | None = None
        self.ready = asyncio.Event()
        self._address = ""
        self._built: str | None = None
        self._failures = 0
        self._lock: TextIO | None = None
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    async def start(self, wait_s: float = 10.0) -> None:
        """Begin to watch, and wait until a server answers; when that lasts too long it is tried on in the background."""
        self._task = asyncio.create_task(self.run(self._stop))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ready.wait(), wait_s)

    async def stop(self) -> None:
        """End the child, if it is ours; another process takes over."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def run(self, stop: asyncio.Event) -> None:
        """The watching loop: take over if nobody runs the server, start it, probe it, restart it."""
        self.state.mkdir(parents=True, exist_ok=True)
        try:
            async with client(timeout=self.patience_s) as asking:
                while not stop.is_set():
                    await self._turn(asking)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), self._pause_s())
        finally:
            self._announce(None)
            await end_child(self.child)
            self._unlock()

    async def _turn(self, client: httpx.AsyncClient) -> None:
        try:
            url = await (self._tend(client) if self._locked() else self._follow(client))
        except Exception:
            log.exception("router_turn_failed")
            url = None
        self._failures = 0 if url else self._failures + 1
        self._announce(url)

    async def _follow(self, client: httpx.AsyncClient) -> str | None:
        """Another process runs the child: where it answers."""
        url = self._told()
        return url if url and await _alive(client, url) else None

    async def _tend(self, client: httpx.AsyncClient) -> str | None:
        """The child is ours: see that it lives, answers, and serves the region as it is built now."""
        if (built := _identity(self.region)) is None:
            return None
        if self.child and self.child.returncode is None and self._built == built:
            if await _alive(client, self._address) or await _alive(client, self._address):
                return self._address
            log.warning("router_hung", pid=self.child.pid)
        await self._begin(built)
        return await self._answering(client)

    async def _begin(self, built: str) -> None:
        self._announce(None)
        await end_child(self.child)
        port = free_port()
        self._address, self._built = f"http://127.0.0.1:{port}", built
        command = [str(binary("valhalla_service")), str(self._write_config(port)), str(self.threads)]
        # The region is the working directory, so the child keeps the old tiles when a new build takes the folder's name.
        self.child = await start_child(command, self.region)
        log.info("router_started", pid=self.child.pid)

    async def _answering(self, client: httpx.AsyncClient) -> str | None:
        for _ in range(200):
            if await _alive(client, self._address):
                (self.state / "address").write_text(self._address)
                return self._address
            if self.child is None or self.child.returncode is not None:
                log.warning("router_ended", code=self.child and self.child.returncode)
                return None
            await asyncio.sleep(0.025)
        return None

    def _pause_s(self) -> float:
        """A healthy one is looked at now and then; one that fails is tried again soon, then less and less often."""
        return self.probe_s if not self._failures else min(0.1 * 2.0 ** min(self._failures, 10), _LONGEST_PAUSE_S)

    def _announce(self, url: str | None) -> None:
        self.url = url
        self.ready.set() if url else self.ready.clear()

    def _write_config(self, port: int) -> Path:
        file = self.state / "valhalla.json"
        file.write_text(json.dumps(service_config(port)))
        return file

    def _told(self) -> str | None:
        try:
            return (self.state / "address").read_text() or None
        except OSError:
            return None

    def _locked(self) -> bool:
        """True if this process holds the lock, or just got it."""
        if self._lock is not None:
            return True
        file = (self.state / "lock").open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._lock = file
        return True

    def _unlock(self) -> None:
        if self._lock is not None:
            (self.state / "address").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None


async def _alive(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/status")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _identity(region: Path) -> str | None:
    """What tells one build of a region from the next: its manifest."""
    try:
        return (region / "manifest.json").read_text()
    except OSError:
        return None
