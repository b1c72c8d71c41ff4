"""Puts the demo together: roads, first day, web, worker and simulator as children; ends them all within seconds."""

import asyncio
import contextlib
import hashlib
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from tracker import logs
from tracker.actions.house import House
from tracker.actions.people import contacts
from tracker.app import open_house
from tracker.config import Config, read
from tracker.demo import cast
from tracker.demo.certificate import certificate_for
from tracker.demo.mail_server import mail_server
from tracker.demo.mailbox import Mailbox
from tracker.demo.planner import Planner
from tracker.demo.seed import Demo, seed
from tracker.demo.telling import greeting, here, plan_of
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.errors import BadConfiguration
from tracker.records import migrations, people
from tracker.roads.build import build, read_manifest
from tracker.roads.child import bound

EXTRACT = Path(__file__).resolve().parents[2] / "simulator" / "data" / "helsinki.osm.pbf"

READY_S = 60.0
"""How long the web process may take before the demo gives up."""

END_S = 8.0
"""How long children may take to end."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for."""

    port: int
    technicians: int
    https: bool
    data: Path
    host: str = "localhost"


class Children:
    """Our own processes. Each is ended, and waited for, in the reverse order of its start."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._running: list[tuple[str, asyncio.subprocess.Process]] = []

    async def start(self, name: str, *arguments: str) -> asyncio.subprocess.Process:
        """Start `python ARGUMENTS`, its words in a log file of its own beside the data."""
        logs = Path(self._environment["TRACKER_DATA"]) / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / f"{name}.log").open("ab") as said:
            # a session of its own: Ctrl-C in the terminal reaches us alone, and we end the children in order
            command = bound([sys.executable, *arguments], signal.SIGTERM)  # kill -9 of us must not leave them at work
            child = await asyncio.create_subprocess_exec(
                *command, env=self._environment, stdout=said, stderr=said, start_new_session=True
            )
        self._running.append((name, child))
        return child

    async def any_ended(self) -> str:
        """Wait until one of them ends by itself; its name."""
        waits = {asyncio.create_task(child.wait()): name for name, child in self._running}
        done, pending = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waits[done.pop()]

    async def end(self) -> None:
        """SIGTERM to all, SIGKILL to who is still there after `END_S`."""
        alive = [child for _, child in reversed(self._running) if child.returncode is None]
        for child in alive:
            child.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(END_S):
                await asyncio.gather(*(child.wait() for child in alive))
        except TimeoutError:
            for child in alive:
                if child.returncode is None:
                    child.kill()


async def run(wish: Wish) -> int:
    """The demo from start to Ctrl-C; the process's exit status."""
    environment = surroundings(wish)
    config = read(environment)
    logs.set_up("console", "error")  # the terminal is for people; what the parts say is in their log files
    stop = asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    _say(f"The demo of technician-tracker, in {config.data}.")
    await asyncio.to_thread(_roads, config)
    _say("Starting the live store and the database …")
    async with open_house(config) as house, mail_server(Mailbox(config.data)) as smtp:
        await migrations.migrate(house.db)
        demo = await _remembered(house, config, wish)
        children = Children(environment | {"TRACKER_SMTP_URL": smtp})
        try:
            return await _live(house, config, demo, children, stop, wish)
        finally:
            await children.end()


def surroundings(wish: Wish) -> dict[str, str]:
    """The environment of every process of the demo. What is set outside for a real installation has no say here."""
    scheme = "https" if wish.https else "http"
    ours = {
        "TRACKER_DATA": str(wish.data),
        "TRACKER_PORT": str(wish.port),
        "TRACKER_HOST": "0.0.0.0" if wish.https else "127.0.0.1",  # noqa: S104 - https is for trying a phone in the same network
        "TRACKER_PUBLIC_URL": f"{scheme}://{wish.host}:{wish.port}",
        "TRACKER_DEMO": "1",
        "TRACKER_LOG_FORMAT": "json",
    }
    if wish.https:
        cert, key = certificate_for(wish.host, wish.data)
        ours |= {"TRACKER_TLS_CERT": str(cert), "TRACKER_TLS_KEY": str(key)}
    return ours


def _roads(config: Config) -> None:
    """Build the city's roads unless they are there, made of this very extract."""
    manifest = read_manifest(config.roads)
    if manifest is None or manifest.sha256 != hashlib.sha256(EXTRACT.read_bytes()).hexdigest():
        _say("Building the roads of central Helsinki, once, in some seconds:")
        build(EXTRACT, config.roads, datetime.now(UTC), lambda part: _say(f"  {part}"))


def _say(words: str) -> None:
    print(words, flush=True)


async def _remembered(house: House, config: Config, wish: Wish) -> Demo:
    """The demo of the last time, if it had as many technicians; else a fresh one."""
    file = config.data / "demo.json"
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        demo = msgspec.json.decode(file.read_bytes(), type=Demo)
        if len(demo.drivers) == wish.technicians:
            return demo
        raise BadConfiguration(
            f"The demo in {config.data} has {len(demo.drivers)} technicians. Delete that folder to begin with {wish.technicians}."
        )
    async with house.db.reading() as tx:
        if await people.how_many(tx):
            raise BadConfiguration(f"The demo in {config.data} was not finished. Delete that folder to begin anew.")
    _say("Inventing people, vans and appointments …")
    demo = await seed(house.db, wish.technicians, house.clock())
    await contacts.add_contact(house, Actor(Role.ADMIN, name="demo"), demo.account, cast.GUEST[1], cast.GUEST[0])  # is invited
    _write_privately(file, msgspec.json.encode(demo))
    return demo


def _write_privately(file: Path, data: bytes) -> None:
    fresh = file.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as new:
        new.write(data)
    fresh.replace(file)


async def _live(house: House, config: Config, demo: Demo, children: Children, stop: asyncio.Event, wish: Wish) -> int:
    _say("Starting the web server, the worker and the router …")
    await children.start("web", "-m", "tracker", "serve")
    await children.start("worker", "-m", "tracker", "worker")
    stopped = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(children.any_ended())
    ready = asyncio.create_task(_ready(config))
    await asyncio.wait([stopped, ended, ready], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        return 0
    if not ready.done() or not ready.result():
        print(f"The demo could not start. See {config.data / 'logs'}", file=sys.stderr)
        return 1
    plan = config.data / "plan.json"
    _write_privately(plan, plan_of(config, demo))
    _say("Sending the vans out …")
    await children.start("city", "-m", "simulator", "city", str(plan), "--memory", str(config.data / "places.json"))
    print(greeting(config, demo), flush=True)
    planning = asyncio.create_task(Planner(house.db, demo, house.secret).run(stop, house.clock))
    await asyncio.wait([stopped, ended, planning], return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        print("\nStopping …", flush=True)
        await asyncio.gather(planning, return_exceptions=True)
        return 0
    who = ended.result() if ended.done() else "planner"
    print(f"The demo's {who} ended by itself. See {config.data / 'logs'}", file=sys.stderr)
    return 1


async def _ready(config: Config) -> bool:
    """Whether the web process answers `/readyz` with 200 within `READY_S`."""
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=2) as client:  # noqa: S501 - our own certificate
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_S):
                while True:
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get(f"{here(config)}/readyz")).status_code == 200:
                            return True
                    await asyncio.sleep(0.1)
    return False
