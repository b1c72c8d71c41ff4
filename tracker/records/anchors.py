"""The places trips began from, kept for good, so that places near each other share one origin cloak (P2)."""

from datetime import datetime

from sqlalchemy import select

from tracker.domain.geo import Point, flat_m, moved
from tracker.domain.visibility import SHARED_WITHIN_M, anchor_for
from tracker.records.database import Transaction
from tracker.records.schema import anchors


async def anchor_of(tx: Transaction, place: Point, now: datetime) -> Point:
    """The anchor whose zone a place shares: the oldest within 150 m, else the place itself, from now on."""
    north = moved(place, 0, 2 * SHARED_WITHIN_M).lat - place.lat
    east = 2 * SHARED_WITHIN_M / max(1.0, flat_m(place, Point(place.lat, place.lon + 1))[0])
    in_lat = anchors.c.lat.between(place.lat - north, place.lat + north)
    near = in_lat & anchors.c.lon.between(place.lon - east, place.lon + east)
    rows = await tx.rows(select(anchors.c.lat, anchors.c.lon).where(near).order_by(anchors.c.id))
    known = anchor_for(place, [Point(row["lat"], row["lon"]) for row in rows])
    if known is None:
        await tx.change(anchors.insert().values(lat=place.lat, lon=place.lon, created_at=now))
    return known or place
