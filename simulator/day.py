"""What a technician has to do today, asked of the server at one address: `GET /api/v1/technician/today`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from simulator.phones.base import Target
from tracker.domain.geo import Point

OPEN = ("in_progress", "traveling", "scheduled")
"""States in which something is left to do, in the order in which it is done."""


class NoPlan(Exception):
    """The server does not say what this technician has to do; the text says why."""


@dataclass(frozen=True, slots=True)
class Job:
    """One appointment as the technician's app sees it."""

    id: str
    state: str
    place: Point
    arrival_at: datetime
    duration_min: int


def read_job(item: Mapping[str, Any]) -> Job:
    """One appointment out of the answer. A missing or wrong field raises NoPlan."""
    try:
        place = item.get("place") or item
        return Job(
            id=str(item["id"]),
            state=str(item["state"]),
            place=Point(float(place["lat"]), float(place["lon"])),
            arrival_at=datetime.fromisoformat(item["arrival_at"]),
            duration_min=int(item.get("duration_min") or 30),
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise NoPlan(f"an appointment that cannot be read: {wrong!r}") from wrong


def in_order(jobs: list[Job]) -> list[Job]:
    """What is left to do: what is under way first, then by promised arrival."""
    return sorted((job for job in jobs if job.state in OPEN), key=lambda job: (OPEN.index(job.state), job.arrival_at))


async def todays_jobs(client: httpx.AsyncClient, target: Target) -> list[Job]:
    """What this technician has left to do today. Raises NoPlan."""
    try:
        answer = await client.get(
            f"{target.url.rstrip('/')}/api/v1/technician/today", headers={"Authorization": f"Bearer {target.token}"}
        )
        answer.raise_for_status()
        said = answer.json()
    except (httpx.HTTPError, ValueError) as wrong:
        raise NoPlan(f"today's appointments: {type(wrong).__name__}: {wrong}".replace(target.token, "…")) from wrong
    items = said.get("appointments", []) if isinstance(said, dict) else said
    return in_order([read_job(item) for item in items])
