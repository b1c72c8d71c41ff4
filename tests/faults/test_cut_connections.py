"""F6: a connection is cut after every byte, before the service and behind it: pressed again, it was booked once."""

import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.faults.bounded import MINUTES, report, rounds
from tests.faults.proxy import Proxy, Way, before_port, before_socket
from tests.faults.rush import Rush, rushing
from tests.servers import Postgres
from tracker.records.database import new_id

WANTED = 2_000
SILENT = 60
"""Cuts that the database is not told of; each may cost five seconds."""
OPEN = 24 * 55
"""Hours from the day after tomorrow on that can be booked; each is wanted by one trial, then by the next technician's."""
OLD_S = 6.0
"""A lock this old is held by nobody who works."""


@dataclass
class Cuts:
    """One customer, whose requests pass a proxy the first time, and the ways that can be cut."""

    rush: Rush
    front: Proxy
    port: int
    back: Proxy | None = None
    seen: Counter[str] = field(default_factory=Counter)
    trials: int = 0
    made: int = 0
    longest_s: float = 0.0

    async def trial(self, cut: Proxy | None = None, after: int = 0, way: Way = Way.UP, *, silent: bool = False) -> None:
        """Book through a connection that is cut, and again until it is answered."""
        customer, key, body = self.rush.customers[0], new_id(), self._wish()
        headers = {"Idempotency-Key": key}
        self.front.calm()
        if self.back is not None:
            self.back.calm()
        if cut is not None:
            cut.cut(after, way, silent=silent)
        began = time.monotonic()
        first = await self._first(headers, body)
        self.seen[f"first {first}"] += 1
        async with customer.browser() as client:
            answer = await client.post("/api/v1/appointments", json=body, headers=headers)
            while answer.status_code == 503:
                self.seen["503 again"] += 1
                answer = await client.post("/api/v1/appointments", json=body, headers=headers)
        self.seen[f"then {answer.status_code}"] += 1
        assert answer.status_code == 201, answer.text
        customer.kept[answer.json()["id"]] = answer.json()
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        if silent and cut is not None:
            self.seen["old locks"] += await self._old_locks()
            cut.dig_up()

    async def _first(self, headers: dict[str, str], body: Any) -> str:
        own = f"http://127.0.0.1:{self.port}"
        limits = httpx.Limits(max_keepalive_connections=0)
        async with self.rush.customers[0].browser(base_url=own, limits=limits) as client:
            try:
                return str((await client.post("/api/v1/appointments", json=body, headers=headers)).status_code)
            except httpx.TransportError:
                return "cut"

    async def _old_locks(self) -> int:
        old = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND now() - state_change > :old"
        async with self.rush.db.reading() as tx:
            return int(await tx.value(text(old), {"old": timedelta(seconds=OLD_S)}))

    def _wish(self) -> dict[str, Any]:
        self.trials += 1
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)
        arrival = midnight + timedelta(hours=self.trials % OPEN)
        company = self.rush.company
        return {"service_type": company.service, "account": company.account, "arrival_at": arrival.isoformat()}

    async def lengths(self, proxy: Proxy) -> dict[Way, int]:
        """How many bytes of a proxy one booking takes that nobody disturbs, the second time."""
        for _ in range(2):
            await self.trial()
        return dict(proxy.passed)

    async def judged(self) -> dict[str, int]:
        """What should be none of."""
        broke = sum(n for what, n in self.seen.items() if what.split()[-1] not in {"cut", "503", "201", "again", "locks"})
        locks = {"locks held": self.seen.pop("old locks")} if self.back is not None else {}
        return {**await self.rush.faults(), "other answers": broke, **locks}


@asynccontextmanager
async def cutting(url: str, redis_url: str, data: Path, server: Postgres | None = None) -> AsyncIterator[Cuts]:
    """The service runs, between proxies."""
    with tempfile.TemporaryDirectory(prefix="tt-") as folder:
        if server is None:
            async with rushing(url, redis_url, data, 1) as rush, before_port(rush.machine.port) as (front, port):
                await rush.start("serve")
                yield Cuts(rush, front, port)
            return
        name = ".s.PGSQL.5432"
        async with before_socket(server.socket / name, Path(folder) / name) as back:
            through = url.replace(str(server.socket), folder)
            async with rushing(url, redis_url, data, 1, through=through) as rush, before_port(rush.machine.port) as (front, port):
                await rush.start("serve")
                yield Cuts(rush, front, port, back)


def spread(length: int, count: int) -> Iterable[int]:
    """So many offsets from 0 to the last byte; every one if there are no more."""
    return sorted({round(n * (length - 1) / max(count - 1, 1)) for n in range(count)})


async def cut_everywhere(cuts: Cuts, proxy: Proxy, count: int, minutes: float | None = None) -> tuple[int, int]:
    """Cuts at so many bytes of both directions; how many were made and wanted."""
    lengths = await cuts.lengths(proxy)
    whole = sum(lengths.values())
    places = [
        (after, way) for way in Way for after in spread(lengths[way], min(lengths[way], max(1, count * lengths[way] // whole)))
    ]
    random.Random(6).shuffle(places)  # a run that ends early has been everywhere
    before, made = proxy.cuts, 0
    numbers = range(len(places)) if minutes is None else rounds(len(places), minutes)
    for number in numbers:
        await cuts.trial(proxy, *places[number])
        made += 1
    cuts.made += proxy.cuts - before
    return made, len(places)


async def test_a_request_cut_anywhere_is_booked_once(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    async with cutting(sqlite_url, redis_url, tmp_path) as cuts:
        made, _ = await cut_everywhere(cuts, cuts.front, 24)
        assert cuts.made == made
        faults = await cuts.judged()
    assert faults == dict.fromkeys(faults, 0)


async def test_the_database_cut_off_anywhere_books_once_and_holds_no_lock(
    postgres: Postgres, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    async with cutting(postgres_url, redis_url, tmp_path, postgres) as cuts:
        assert cuts.back is not None
        made, _ = await cut_everywhere(cuts, cuts.back, 24)
        assert cuts.made >= made // 2
        length = (await cuts.lengths(cuts.back))[Way.UP]
        await cuts.trial(cuts.back, length * 9 // 10, silent=True)  # in the transaction that writes
        faults = await cuts.judged()
    assert faults == dict.fromkeys(faults, 0)


@pytest.mark.faults
async def test_a_request_cut_after_every_byte(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    """The whole form (`make faults`): between a customer and the service."""
    async with cutting(sqlite_url, redis_url, tmp_path) as cuts:
        made, wanted = await cut_everywhere(cuts, cuts.front, WANTED, MINUTES)
        report("F6 client", "sqlite", made, wanted, {"cuts": cuts.made, **cuts.seen}, await cuts.judged())


@pytest.mark.faults
async def test_the_database_cut_off_after_every_byte(
    postgres: Postgres, postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The whole form (`make faults`): between the service and its database; some cuts are silent."""
    async with cutting(postgres_url, redis_url, tmp_path, postgres) as cuts:
        assert cuts.back is not None
        made, wanted = await cut_everywhere(cuts, cuts.back, WANTED, MINUTES / 2)
        length, silent = (await cuts.lengths(cuts.back))[Way.UP], 0
        for number in rounds(SILENT, MINUTES / 2):
            await cuts.trial(cuts.back, length * (number + 1) // SILENT - 1, silent=True)
            silent += 1
        figures = {"cuts": cuts.made, "silent": silent, **cuts.seen, "longest wait s": round(cuts.longest_s, 1)}
        report("F6 database", "postgres", made, wanted, figures, await cuts.judged())
