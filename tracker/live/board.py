"""What staff ask of all buckets at once: who is on duty and where, and who is nearest to a place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from tracker.domain.geo import Point, distance_m
from tracker.errors import LiveUnavailable
from tracker.live import keys
from tracker.live.connect import AWAY, Client
from tracker.live.gate import moment


@dataclass(frozen=True, slots=True)
class Standing:
    """A technician's last believed position, for staff only. ``position`` is the JSON object viewers know."""

    technician: str
    point: Point
    fix_at: datetime
    contact_at: datetime
    appointment: str | None
    position: dict[str, Any]


async def last(client: Client, technician: str) -> Standing | None:
    """The last believed position of one technician."""
    found = await _standings(client, [technician])
    return found[0] if found else None


async def on_duty(client: Client) -> list[Standing]:
    """Everyone with a position, from all buckets."""
    rows = await _pipeline(client, [("zrange", f"{tag}seen", 0, -1) for tag in keys.ALL_TAGS])
    return await _standings(client, [name.decode() for row in rows for name in row])


async def nearest(client: Client, point: Point, radius_m: float, count: int = 20) -> list[tuple[Standing, float]]:
    """The technicians nearest to a place with their distance in metres, merged from all buckets."""
    rows = await _pipeline(client, [("geosearch", f"{tag}geo", point, radius_m, count) for tag in keys.ALL_TAGS], turn=_geosearch)
    found = await _standings(client, [name.decode() for row in rows for name in row])
    ranked = sorted(((who, distance_m(point, who.point)) for who in found), key=lambda pair: pair[1])
    return ranked[:count]


def _geosearch(pipe: Any, _command: str, key: str, point: Point, radius_m: float, count: int) -> None:
    pipe.geosearch(
        key, longitude=point.lon, latitude=point.lat, radius=radius_m, unit="m", sort="ASC", count=count
    )  # Redis' order is lon, lat


def _plain(pipe: Any, command: str, *arguments: Any) -> None:
    getattr(pipe, command)(*arguments)


async def _pipeline(client: Client, commands: list[tuple[Any, ...]], turn: Any = _plain) -> list[Any]:
    try:
        async with client.pipeline(transaction=False) as pipe:
            for command in commands:
                turn(pipe, *command)
            return await pipe.execute()
    except AWAY as error:
        raise LiveUnavailable from error


async def _standings(client: Client, technicians: list[str]) -> list[Standing]:
    if not technicians:
        return []
    names = ["at", "ct", "lat", "lon", "h", "int"]
    wanted: list[tuple[Any, ...]] = []
    for who in technicians:
        wanted.append(("hmget", f"{keys.tag(who)}last:{who}", names))
        wanted.append(("hget", f"{keys.tag(who)}gate:{who}", "appt"))
    rows = await _pipeline(client, wanted)
    pairs = zip(technicians, rows[::2], rows[1::2], strict=True)
    return [_standing(who, fields, appointment) for who, fields, appointment in pairs if fields[0] is not None]


def _standing(technician: str, fields: list[bytes], appointment: bytes | None) -> Standing:
    fix_ms, contact_ms, lat, lon, head, interval = fields
    position = msgspec.json.decode(head + b"}")
    fix_at, contact_at = moment(int(fix_ms)), moment(int(contact_ms))
    position["contact_at"] = contact_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    position["interval_s"] = int(interval)
    where = Point(float(lat), float(lon))
    return Standing(technician, where, fix_at, contact_at, appointment.decode() if appointment else None, position)
