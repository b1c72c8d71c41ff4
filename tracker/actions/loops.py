"""How every background loop turns: on and on until told to stop, and a failed turn is never its last."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from tracker.errors import Unavailable

log = structlog.get_logger()


async def every(name: str, seconds: float, stop: asyncio.Event, turn: Callable[[], Awaitable[object]]) -> None:
    """Do ``turn`` now and every so many seconds until ``stop``; one that fails is logged and tried again next time."""
    while not stop.is_set():
        try:
            await turn()
        except Unavailable as away:
            log.warning("loop_waits", loop=name, reason=away.code)
        except Exception:
            log.exception("loop_failed", loop=name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
