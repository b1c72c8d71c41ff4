"""Taking from the staff's map whoever is off duty, paused or silent."""

from datetime import datetime, timedelta

from tracker.live import keys
from tracker.live.connect import Client
from tracker.live.gate import ms
from tracker.live.script import Script

SILENT = timedelta(hours=1)
"""Who was not heard for this long is off the map."""


async def sweep(client: Client, now: datetime) -> list[str]:
    """Sweep every bucket; the technicians taken off. Raises LiveUnavailable."""
    script = Script(client, "sweep")
    gone: list[str] = []
    for tag in keys.ALL_TAGS:
        gone += await script(tag, [tag, ms(now), ms(now - SILENT)])
    return gone
