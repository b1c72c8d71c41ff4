"""The stock apps' common way: one request under way to `/i/{token}`, in the order of recording, again until it is taken."""

import asyncio
from abc import abstractmethod
from collections import deque
from dataclasses import replace
from enum import Enum, auto

import httpx

from simulator.phones.base import Heard, Phone, Target
from simulator.tracks import Fix

KNOTS_PER_MPS = 1.943844
KMH_PER_MPS = 3.6


class Outcome(Enum):
    """What an app makes of an answer."""

    TAKEN = auto()
    RETRY = auto()
    LOST = auto()


class StockPhone(Phone):
    """An app that posts to ``/i/{token}``: one request under way, in the order of recording.

    A subclass says how a request looks, how many fixes go into one, what counts as success and when it tries again.
    """

    batch = 1
    ordinary_wait_s = (1.0, 60.0)
    """First and longest wait before another try; doubled each time."""

    def __init__(
        self, target: Target, client: httpx.AsyncClient, *, seed: int = 0, heard: Heard | None = None, haste: float = 1.0
    ) -> None:
        super().__init__(target, seed=seed, heard=heard, haste=haste)
        self._client = client
        self._queue: deque[Fix] = deque()
        self._fresh = asyncio.Event()
        self._post: asyncio.Task[httpx.Response] | None = None
        self._newest: Fix | None = None
        self._tried = 0
        """How many fixes at the head of the queue have been on the wire before."""

    @abstractmethod
    def request(self, fixes: list[Fix]) -> httpx.Request:
        """The app's own request for these fixes."""

    def judged(self, answer: httpx.Response, attempt: int) -> Outcome:
        """What the app makes of an answer. Here: success is 200 to 299, anything else is tried again."""
        return Outcome.TAKEN if answer.is_success else Outcome.RETRY

    def unreachable(self, attempt: int) -> Outcome:
        """What the app does when nobody answers."""
        return Outcome.RETRY

    def wait_s(self, attempt: int) -> float:
        """Seconds before the next try; a little random, so that phones do not march in step."""
        first, longest = self.ordinary_wait_s
        return float(min(longest, first * 2.0 ** min(attempt - 1, 12))) * self._random.uniform(0.8, 1.2)

    @property
    def held(self) -> int:
        return len(self._queue)

    def cut(self) -> None:
        if self._post is not None:
            self._post.cancel()

    def repeat(self) -> None:
        if self._newest is not None:
            self._queue.append(self._newest)
            self.counts.said += 1
            self._fresh.set()

    def _store(self, fixes: list[Fix]) -> None:
        self._queue.extend(fixes)
        self._newest = fixes[-1] if fixes else self._newest
        self._fresh.set()

    async def _send_for_ever(self) -> None:
        attempt = 0
        while True:
            await self._fresh.wait()
            await self.online.wait()
            fixes = [self._queue[i] for i in range(min(self.batch, len(self._queue)))]
            attempt += 1
            outcome = await self._try(fixes, attempt)
            if outcome is Outcome.RETRY:
                await asyncio.sleep(self.wait_s(attempt) / self._haste)
                continue
            self._forget(len(fixes), outcome)
            attempt = 0

    async def _try(self, fixes: list[Fix], attempt: int) -> Outcome:
        self._note_sent(fixes)
        self._post = asyncio.create_task(self._client.send(self.request(fixes)))
        try:
            await asyncio.wait([self._post])
        except asyncio.CancelledError:
            self._post.cancel()
            raise
        if self._post.cancelled() or isinstance(self._post.exception(), httpx.HTTPError):
            self.counts.trouble["no answer"] += 1
            return self.unreachable(attempt)
        answer = self._post.result()
        outcome = self.judged(answer, attempt)
        if outcome is not Outcome.TAKEN:
            self.counts.trouble[f"HTTP {answer.status_code}"] += 1
        return outcome

    def _note_sent(self, fixes: list[Fix]) -> None:
        for fix in fixes[self._tried :]:
            self._heard(replace(fix, at=fix.at - self.clock_error))
        self.counts.resent += min(self._tried, len(fixes))
        self.counts.sent += max(0, len(fixes) - self._tried)
        self._tried = max(self._tried, len(fixes))

    def _forget(self, number: int, outcome: Outcome) -> None:
        for _ in range(number):
            self._queue.popleft()
        self._tried = max(0, self._tried - number)
        if outcome is Outcome.LOST:
            self.counts.lost += number
        self._took(number if outcome is Outcome.TAKEN else 0)
        if not self._queue:
            self._fresh.clear()
