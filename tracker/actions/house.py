"""What every action is handed: records, live, roads, settings, the secret and the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from tracker.actions.passwords import Passwords
from tracker.live.limits import Limits
from tracker.live.positions import Positions
from tracker.records import settings as settings_records
from tracker.records.database import Database
from tracker.records.settings import Settings
from tracker.roads.router import Router


class Asks(Protocol):
    """`live/control`: every process does it, then answers."""

    async def ask(self, kind: str, id: str) -> object:
        """``session``, ``device`` or ``visit`` and its id: close the sockets of that session or phone, or let go of that
        visit's positions. Returns when all processes have answered, or too late."""
        ...


class NobodyToAsk:
    """For a process that stands alone, as tests of one action do."""

    async def ask(self, kind: str, id: str) -> object:
        """There is nobody."""
        return None


class CurrentSettings:
    """The settings as this process knows them; ``refresh`` runs every second, so a change reaches everybody within 2 s."""

    def __init__(self) -> None:
        self._settings = Settings()

    @property
    def now(self) -> Settings:
        """The settings last read."""
        return self._settings

    async def refresh(self, db: Database) -> None:
        """Read the rows again."""
        async with db.reading() as tx:
            self._settings = await settings_records.read(tx)


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
    control: Asks = field(default_factory=NobodyToAsk)
    settings: CurrentSettings = field(default_factory=CurrentSettings)
    passwords: Passwords = field(default_factory=Passwords)
    clock: Callable[[], datetime] = the_clock
