"""What every action is handed: records, live, roads, settings, the secret and the clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tracker.actions.booking.crew import Company
from tracker.actions.booking.travel import TravelMemory
from tracker.actions.booking.turns import Turns
from tracker.actions.people.passwords import Passwords
from tracker.live.channels import Hub
from tracker.live.connect import connect, subscriber
from tracker.live.control import Control
from tracker.live.limits import Limits
from tracker.live.positions import Positions
from tracker.live.subscription import Subscription
from tracker.post.server import Post
from tracker.records import settings as settings_records
from tracker.records.database import Database
from tracker.records.settings import Settings
from tracker.roads.finding import Finder, NoFinder
from tracker.roads.router import Router

SIFTED_AT_ONCE = 2
"""Searches of a process that read of thousands of technicians at the same moment."""


class CurrentSettings:
    """The settings as this process knows them; ``refresh`` runs every second, so a change reaches everybody within 2 s."""

    def __init__(self) -> None:
        self._settings = Settings()
        self.on_change: list[Callable[[Settings, Settings], None]] = []  # told before and after, when this process knows

    @property
    def now(self) -> Settings:
        """The settings last read."""
        return self._settings

    async def refresh(self, db: Database) -> None:
        """Read the rows again."""
        async with db.reading() as tx:
            read = await settings_records.read(tx)
        before, self._settings = self._settings, read
        if read != before:
            for tell in self.on_change:
                tell(before, read)


def the_clock() -> datetime:
    """Now, as aware UTC. Only edges and loops call it; everything else is handed ``now``."""
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class House:
    """One process's parts. Actions take it first; nothing in it knows who is asking."""

    db: Database
    positions: Positions
    router: Router
    secret: bytes = field(repr=False)
    limits: Limits
    control: Control
    hub: Hub
    finder: Finder = field(default_factory=NoFinder)
    settings: CurrentSettings = field(default_factory=CurrentSettings)
    passwords: Passwords = field(default_factory=Passwords)
    clock: Callable[[], datetime] = the_clock
    travels: TravelMemory = field(default_factory=TravelMemory)
    company: Company = field(default_factory=Company)
    turns: Turns = field(default_factory=Turns)
    sifting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIFTED_AT_ONCE))
    post: Post | None = None  # how letters go out


def furnish(db: Database, redis_url: str, router: Router, secret: bytes, clock: Callable[[], datetime] = the_clock) -> House:
    """A house on a database and a Redis; nothing is connected yet, nothing runs. `close` gives the connections back."""
    client, listening = connect(redis_url), subscriber(redis_url)
    subscription = Subscription(listening)
    control = Control(client, subscription)
    return House(
        db=db,
        positions=Positions(client, control.ask),
        router=router,
        secret=secret,
        limits=Limits(client),
        control=control,
        hub=Hub(subscription, control, clock),
        clock=clock,
    )


async def close(house: House) -> None:
    """Give back the connections to Redis. Whoever started the hub has stopped it."""
    await house.hub.subscription.redis.aclose()
    await house.positions.client.aclose()
