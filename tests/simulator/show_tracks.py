"""`python -m tests.simulator.show_tracks TRACK…`: whole recordings through every app into a whole deployment, as a table."""

import asyncio
import sys
import tempfile
from pathlib import Path

from simulator.phones import App
from simulator.readers import read_track, shipped_tracks
from simulator.report import Report, table
from simulator.run import Ride, run_rides
from simulator.tracks import Track
from tests.servers import valkey_server
from tests.simulator.deployment import Deployment, deployed, pairs
from tracker.domain.geo import Point, distance_m
from tracker.records.points import TrackPoint

APPS = [app for app in App if app is not App.OWNTRACKS_IOS]
HEAD = ("app", "track", "sent", "acked", "refused", "stored", "farthest, m", "speed off, m/s", "mean speed, m/s")


async def show(paths: list[Path]) -> bool:
    """Prints the table; True if everything sent was acked and every stored position lies within a metre."""
    rows, good = [HEAD], True
    with tempfile.TemporaryDirectory() as folder, valkey_server() as redis_url:
        async with deployed(f"sqlite+aiosqlite:///{folder}/tracker.db", redis_url, Path(folder) / "data") as service:
            for path in paths:
                for app in APPS:
                    row, right = await _one(service, app, read_track(path))
                    rows.append(row)
                    good = good and right
    sys.stdout.write(table(rows) + "\n")
    return good


async def _one(service: Deployment, app: App, track: Track) -> tuple[tuple[str, ...], bool]:
    technician, target = await service.technician()
    report = await run_rides([Ride(track, target, app)], backlog=True, patience_s=300)
    stored = await service.stored(technician, len(track.fixes), within_s=3)
    off = max(distance_m(fix.point, Point(point.lat, point.lon)) for fix, point in pairs(track, stored))
    right = report.good and report.phones.sent == report.phones.acked == len(track.fixes) and off < 1
    return _row(app, track, report, stored, off), right


def _row(app: App, track: Track, report: Report, stored: list[TrackPoint], off: float) -> tuple[str, ...]:
    errors = [abs((point.speed or 0) - (fix.speed or 0)) for fix, point in pairs(track, stored)]
    mean = sum(point.speed or 0 for point in stored) / len(stored)
    refused = ", ".join(f"{number} {rule}" for rule, number in report.phones.refused.items()) or "none"
    counts = (str(report.phones.sent), str(report.phones.acked), refused if app is App.SOCKET else "not told", str(len(stored)))
    return (app.value, track.name, *counts, f"{off:.2f}", f"{max(errors):.3f}", f"{mean:.2f}")


if __name__ == "__main__":
    given = [Path(name) for name in sys.argv[1:]] or shipped_tracks()
    sys.exit(0 if asyncio.run(show(given)) else 1)
