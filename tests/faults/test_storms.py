"""F16, F17, F19: Redis comes back empty, everybody comes back at once, a polite end in the midst of work."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import websockets

from tests.faults.bounded import report, rounds
from tests.faults.site import TOKEN, Site, all_of, fixes, pages, site
from tests.servers import OwnValkey
from tests.world import PLACE
from tracker.domain.geo import moved


@pytest.fixture
def valkey() -> Iterator[OwnValkey]:
    with OwnValkey.in_a_folder() as server:
        yield server


@pytest.fixture
async def place(tmp_path: Path, sqlite_url: str, valkey: OwnValkey) -> AsyncIterator[Site]:
    async with site(sqlite_url, valkey.url, tmp_path) as made:
        await made.start()
        yield made


async def on_the_way(place: Site) -> str:
    """An appointment that Maya travels to."""
    visit = await place.world.appointment(arrival_at=datetime.now(UTC))
    async with place.client() as client:
        answer = await place.step(client, visit, "start_travel")
        assert answer.status_code == 200, answer.text
    return visit


async def speak(place: Site, point: tuple[float, float]) -> None:
    """One ping by the address for stock apps, again until it is believed (no ack while Redis is away)."""
    lat, lon = point
    async with place.client() as client, asyncio.timeout(60):
        while True:
            said = {"lat": lat, "lon": lon, "timestamp": datetime.now(UTC).timestamp(), "accuracy": 5, "id": "x"}
            if (await client.post(f"/i/{TOKEN}", params=said)).status_code == 200:
                return
            await asyncio.sleep(0.1)


def spot(number: int) -> tuple[float, float]:
    where = moved(PLACE, 90, 2_000 + 10.0 * number)
    return round(where.lat, 6), round(where.lon, 6)


# -- F17: everybody comes back at once -----------------------------------------------------------------------------------


async def storm(place: Site, count: int, kills: int, within_s: float = 60) -> None:
    visit = await on_the_way(place)
    other = await place.world.appointment(arrival_at=datetime.now(UTC))
    async with pages(place, visit, count) as crowd:
        try:
            first = await all_of(crowd, lambda page: page.snapshots >= 1)
        except TimeoutError:
            late = [page for page in crowd if not page.snapshots]
            codes = Counter(code for page in crowd for code in page.codes)
            raise AssertionError(f"{len(late)} of {count} never came in; closed by {dict(codes)}") from None
        for kill in range(kills):
            before = [page.snapshots for page in crowd]
            await place.kill()
            await place.start()
            back = asyncio.create_task(all_of(crowd, lambda page: page.snapshots > before[crowd.index(page)]))  # noqa: B023
            async with place.client() as client:  # the others' work goes on meanwhile
                for step in ("start_travel", "undo"):
                    answer = await place.step(client, other, step, switch=True)
                    assert answer.status_code == 200, answer.text
                assert (await place.step(client, visit, "start_travel")).status_code == 200
            took = await back
            print(f"F17 {count} pages: at first within {first:.1f} s, back {took:.1f} s after kill {kill + 1} was over")
            assert took < within_s
        await speak(place, spot(kills))
        await all_of(crowd, lambda page: spot(kills) in page.positions)
    assert "Traceback" not in place.said()


async def test_everybody_comes_back_at_once(place: Site) -> None:
    await storm(place, 120, kills=1)


@pytest.mark.faults
async def test_f17_two_thousand_come_back_at_once(place: Site) -> None:
    await storm(place, 2_000, kills=3, within_s=30)


# -- F16: Redis comes back empty -----------------------------------------------------------------------------------------


async def emptied(place: Site, valkey: OwnValkey, count: int, times: int, within_s: float = 60) -> None:
    visit = await on_the_way(place)
    async with pages(place, visit, count) as crowd:
        await speak(place, spot(0))
        await all_of(crowd, lambda page: spot(0) in page.positions)
        for turn in range(1, times + 1):
            epochs = {page: page.epoch for page in crowd}
            valkey.kill()
            async with place.client() as client:  # what needs no live positions goes on
                assert (await client.get(f"/api/v1/appointments/{visit}")).status_code == 200
                refused = await place.step(client, visit, "arrive")
                assert (refused.status_code, refused.json()["code"]) == (503, "live_unavailable")
            valkey.start()
            took = await all_of(crowd, lambda page: page.epoch not in ("", epochs[page]))  # noqa: B023
            print(f"F16 {count} pages: a snapshot of the new epoch {took:.2f} s after Redis was back, time {turn}")
            assert took < within_s
            await speak(place, spot(turn))
            await all_of(crowd, lambda page: spot(turn) in page.positions)  # noqa: B023
        assert all(page.codes == [] for page in crowd), "no socket was lost over it"
        async with place.client() as client:
            assert (await place.step(client, visit, "arrive")).status_code == 200
        await all_of(crowd, lambda page: page.states[-1:] == ["in_progress"])
    assert "Traceback" not in place.said()


async def test_redis_comes_back_empty_again_and_again(place: Site, valkey: OwnValkey) -> None:
    await emptied(place, valkey, 100, times=2)


@pytest.mark.faults
async def test_f16_redis_comes_back_empty_under_a_thousand_viewers(place: Site, valkey: OwnValkey) -> None:
    await emptied(place, valkey, 1_000, times=5, within_s=15)


# -- F19: a polite end ---------------------------------------------------------------------------------------------------


class Worker:
    """Somebody at work over HTTP: every request must be answered whole, or its connection refused before it was begun."""

    def __init__(self, place: Site, client: httpx.AsyncClient, visit: str) -> None:
        self._site, self._client, self._visit = place, client, visit
        self.answers: Counter[int] = Counter()
        self.cut = 0

    async def run(self, done: asyncio.Event) -> None:
        while not done.is_set():
            try:
                answer = await self._client.get(f"/api/v1/appointments/{self._visit}")
                self.answers[answer.status_code] += 1
                answer = await self._site.step(self._client, self._visit, "cancel", reason="x")
                self.answers[answer.status_code] += 1
            except httpx.ConnectError:
                await done.wait()
            except httpx.TransportError:
                self.cut += 1


async def ended_politely(place: Site, visit: str, count: int, workers: int) -> float:
    """Seconds it took."""
    others = [await place.world.appointment(arrival_at=datetime.now(UTC)) for _ in range(workers)]
    done, dice = asyncio.Event(), random.Random(1)
    async with pages(place, visit, count) as crowd:
        await all_of(crowd, lambda page: page.snapshots >= 1)
        phone = await websockets.connect(place.machine.url.replace("http", "ws") + "/ws/technician", compression=None)
        await phone.send(json.dumps({"type": "hello", "token": TOKEN, "boot": uuid4().hex, "first": 1}))
        assert json.loads(await phone.recv())["type"] == "welcome"
        [token] = await place.cookies(1)
        own = {"Cookie": f"tt={token}", "Origin": place.machine.url, "Sec-Fetch-Site": "same-origin"}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        client = httpx.AsyncClient(base_url=place.machine.url, headers=own, timeout=20, limits=limits)
        staff = [Worker(place, client, other) for other in others]
        tasks = [asyncio.create_task(each.run(done)) for each in staff]
        async with asyncio.timeout(60):
            while not all(each.answers for each in staff):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(dice.uniform(0, 0.5))
        await phone.send(json.dumps({"type": "pings", "pings": fixes(50, 1, datetime.now(UTC))}))
        took = await place.end()
        done.set()
        await asyncio.gather(*tasks)
        await client.aclose()
        await phone.wait_closed()
        await all_of(crowd, lambda page: len(page.codes) >= 1)
        codes = Counter(page.codes[0] for page in crowd)
    answers = sum((each.answers for each in staff), Counter())
    cut = sum(each.cut for each in staff)
    print(
        f"F19 {count} pages, {workers} at work: gone after {took:.1f} s, closed {dict(codes)}, answers {dict(answers)}, {cut} cut"
    )
    assert codes == {1012: count}
    assert phone.close_code == 1012
    assert cut == 0
    assert set(answers) <= {200, 409, 412}, place.said()[-3_000:]
    assert "Traceback" not in place.said()
    return took


async def test_a_polite_end_cuts_nothing(place: Site) -> None:
    await ended_politely(place, await on_the_way(place), 60, 20)


@pytest.mark.faults
async def test_f19_a_hundred_polite_ends(place: Site) -> None:
    visit, made = await on_the_way(place), 0
    for made in rounds(100):
        if made:
            await place.start()
        assert await ended_politely(place, visit, 500, 50) < 10  # the promise; elsewhere machines may be slow
    report("F19: polite ends", "SQLite", made + 1, 100, {"pages": 500, "at work": 50})
