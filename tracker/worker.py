"""The background: every loop of the service in one list, each turning until told to stop."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from tracker.actions import housekeeping
from tracker.actions.booking import upholding
from tracker.actions.house import House
from tracker.actions.letters import posting
from tracker.actions.loops import every
from tracker.actions.trip import delays, endings, routing, telling, told, trails, upkeep

UNTOLD_AFTER = timedelta(seconds=2)
"""An event older than this was left by a process that died between its commit and its publish."""

SETTINGS_S = 1.0


async def tell_untold(house: House, stop: asyncio.Event) -> None:
    """Publish what dead processes left, every second."""
    await every("tell_untold", 1.0, stop, lambda: telling.tell_what_is_left(house, house.clock() - UNTOLD_AFTER))


async def keep_settings(house: House, stop: asyncio.Event) -> None:
    """Read the settings every second; while the records are away the last known ones count."""
    await every("settings", SETTINGS_S, stop, lambda: house.settings.refresh(house.db))


type Loop = Callable[[House, asyncio.Event], Awaitable[None]]

LOOPS: tuple[Loop, ...] = (
    keep_settings,
    upkeep.renew,
    upkeep.sweep_map,
    endings.end_forgotten_legs,
    delays.watch_delays,
    tell_untold,
    routing.serve_routes,
    trails.drain,
    trails.purge,
    housekeeping.tidy,
    upholding.end_holds,
    upholding.sweep_cells,
    upholding.adopt_all,
    posting.post_letters,
    told.drain,
    told.purge,
)


async def run(house: House, stop: asyncio.Event) -> None:
    """Run every loop until told to stop."""
    async with asyncio.TaskGroup() as tasks:
        for loop in LOOPS:
            tasks.create_task(loop(house, stop), name=loop.__name__)  # type: ignore[arg-type]
