"""The live page's text: the same templates for the whole page and for its panel alone."""

from datetime import datetime
from typing import Any

from portal_web.facts import Site, Visit
from portal_web.live_view import LiveView, look_at, trip_of
from portal_web.pages import digits
from portal_web.times import machine
from portal_web.trip import Trip


def page_context(visit: Visit, trip: Trip | None, now: datetime, site: Site, icons: str) -> dict[str, Any]:
    """What `live/page.html` prints of a visit, with the two sets of facts that the page's script starts from."""
    view = look_at(visit, trip, now)
    urls = addresses(visit.id)
    return {
        "visit": visit,
        "view": view,
        "trip": trip,
        "now": now,
        "urls": urls,
        "page_facts": {
            "appointment": visit.id,
            "company": site.company,
            "desk": {"dialed": digits(site.desk.phone), "shown": site.desk.phone} if site.desk and not visit.for_staff else None,
            "icons": icons,
            "now": machine(now),
            **urls,
        },
        "panel_facts": panel_facts(visit, view, trip),
    }


def addresses(appointment: str) -> dict[str, str]:
    """Where the page of an appointment and its parts live."""
    page = f"/appointments/{appointment}/live"
    return {
        "page": page,
        "panel": f"{page}/panel",
        "place": f"{page}/place",
        "poll": f"/api/v1/appointments/{appointment}/live",
        "socket": "/ws/live",
    }


def panel_facts(visit: Visit, view: LiveView, trip: Trip | None) -> dict[str, Any]:
    """What the script must know to go on telling by itself; nothing that is not on the page in words, and no position."""
    told = trip or trip_of(visit)
    return {
        "state": visit.state.value,
        "map": view.map,
        "mapLabel": view.map_label,
        "title": view.title,
        "name": visit.name,
        "zone": visit.zone,
        "booked": milliseconds(told.booked),
        "planned": milliseconds(told.planned),
        "paused": milliseconds(told.paused_since) if told.paused_since else None,
        "reason": told.reason,
        "closed": told.closed,
        "arriving": told.arriving,
        "tracked": told.tracked,
        "late": milliseconds(visit.late.as_of) if visit.late else None,
        "forStaff": told.for_staff,
        "street": told.street,
        "place": [visit.place.lat, visit.place.lon],
    }


def milliseconds(at: datetime) -> int:
    """Since the epoch."""
    return round(at.timestamp() * 1000)
