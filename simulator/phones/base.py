"""What every phone app shares: a store that forgets a fix only when the server took it, and a network that can go away."""

import asyncio
import random
import ssl
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from simulator.tracks import Fix

type Heard = Callable[[Fix], None]
"""Called at the moment a fix goes onto the wire for the first time (for latency)."""


def utc_now() -> datetime:
    """The true time; a phone's own clock may differ by its ``clock_error``."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Counts:
    """What became of a phone's fixes, as the phone knows it."""

    said: int = 0
    """Fixes the receiver gave to the app."""
    sent: int = 0
    """Fixes that went onto the wire at least once."""
    resent: int = 0
    """Further times a fix went onto the wire."""
    acked: int = 0
    """Fixes the server has dealt with (kept, or refused by a rule)."""
    lost: int = 0
    """Fixes this app gives up, as the real one does."""
    refused: Counter[str] = field(default_factory=Counter)
    """By the rule's name; only our own protocol says it."""
    trouble: Counter[str] = field(default_factory=Counter)
    """Answers that were not the app's own success, closes and broken connections, by name."""

    def add(self, other: "Counts") -> None:
        """Adds another phone's counts to these."""
        for name in ("said", "sent", "resent", "acked", "lost"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.refused.update(other.refused)
        self.trouble.update(other.trouble)


@dataclass(frozen=True, slots=True)
class Target:
    """Which server, as which device. ``token`` is the device's; ``device`` is only a name and proves nothing."""

    url: str
    token: str = field(repr=False)
    device: str = "simulated"
    verify: bool = True

    @property
    def ingest(self) -> str:
        """The one address for stock apps (protocols §3)."""
        return f"{self.url.rstrip('/')}/i/{self.token}"

    @property
    def websocket(self) -> str:
        """The server's address for sockets."""
        return "ws" + self.url.rstrip("/").removeprefix("http")


def tls(target: Target) -> dict[str, Any]:
    """Options of a socket's connection: the demo's own certificate is accepted only when the person said so."""
    if target.verify or not target.websocket.startswith("wss"):
        return {}
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return {"ssl": context}


class Phone(ABC):
    """A phone with one app. Use as an async context manager; it sends by itself while inside."""

    def __init__(self, target: Target, *, seed: int = 0, heard: Heard | None = None, haste: float = 1.0) -> None:
        self.target = target
        self.counts = Counts()
        self.clock_error = timedelta()
        self.online = asyncio.Event()
        self.online.set()
        self._random = random.Random(f"{seed}/{target.device}")
        self._heard = heard or (lambda fix: None)
        self._haste = haste
        """Divides the app's waiting times; 1 is the true app."""
        self._sender: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._sender = asyncio.create_task(self._send_for_ever())
        self._sender.add_done_callback(lambda _: self._moved.set())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    def now(self) -> datetime:
        """What this phone's clock shows."""
        return utc_now() + self.clock_error

    def say(self, *fixes: Fix) -> None:
        """The receiver has these fixes, by rising time (several at once: recorded while nobody could send)."""
        self.counts.said += len(fixes)
        self._store([replace(fix, at=fix.at + self.clock_error) for fix in fixes])

    def lose_network(self) -> None:
        """A dead zone begins: nothing goes out until `find_network`."""
        self.online.clear()
        self.cut()

    def find_network(self) -> None:
        """The dead zone ends."""
        self.online.set()

    @property
    def dead(self) -> BaseException | None:
        """Why this phone has stopped sending for good, or None."""
        task = self._sender
        return task.exception() if task is not None and task.done() and not task.cancelled() else None

    async def settled(self, within_s: float) -> bool:
        """Waits until nothing is held any more; False if that did not happen in time or the phone gave up."""
        deadline = time.monotonic() + within_s
        while self.held and (left := deadline - time.monotonic()) > 0:
            if self._sender is None or self._sender.done():
                return False
            await self.progress(min(left, 1.0))
        return not self.held

    async def progress(self, within_s: float) -> None:
        """Waits until the server has taken something more, at most so long."""
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), within_s)

    def _took(self, number: int) -> None:
        self.counts.acked += number
        self._moved.set()

    @property
    @abstractmethod
    def held(self) -> int:
        """How many fixes the app still keeps."""

    @abstractmethod
    def cut(self) -> None:
        """Breaks the present connection, whatever is under way (R3: kills)."""

    @abstractmethod
    def repeat(self) -> None:
        """Sends the newest fix once more, as phones do after a lost answer (R3: duplicates)."""

    @abstractmethod
    def _store(self, fixes: list[Fix]) -> None: ...

    @abstractmethod
    async def _send_for_ever(self) -> None: ...
