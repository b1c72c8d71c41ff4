"""What every action is handed: records, live, roads, settings, the secret and the clock."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tracker.records import settings as settings_records
from tracker.records.database import Database
from tracker.records.settings import Settings
from tracker.roads.router import Router

if TYPE_CHECKING:
    from tracker.live.channels import Hub
    from tracker.live.control import Control
    from tracker.live.positions import Positions


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
    positions: "Positions"
    control: "Control"
    hub: "Hub"
    router: Router
    secret: bytes = field(repr=False)
    settings: CurrentSettings = field(default_factory=CurrentSettings)
    clock: Callable[[], datetime] = the_clock
