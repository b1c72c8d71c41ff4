"""The gate: what the pings of one technician may do just now, as SQL says it and as Redis keeps it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tracker.domain.geo import Point
from tracker.domain.visibility import Cloak

LEASE_MS = 15_000
"""A gate that nobody renews from SQL is gone after this: then nothing is kept or shown, and it is built anew."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What the pings of one technician may do.

    ``gen`` is the technician's ``gate_version``: a gate older than the newest closing or opening is refused.
    ``duty_end`` None: off duty. ``not_before``: nothing fixed earlier is stored (start of duty, or end of the last
    pause): what a phone kept while it should not have is acknowledged and forgotten. ``leg`` and ``appointment``
    are set only while traveling; no fix of ``since`` or earlier is shown to viewers, nor any inside the ``cloak``.
    ``device`` alone moves the marker; of the phones ``gone`` (revoked lately) nothing is stored that was still on its
    way. ``interval_s``: how often the phone is asked to report.
    """

    technician: str
    gen: int
    duty_end: datetime | None = None
    sharing: bool = True
    device: str | None = None
    leg: str | None = None
    appointment: str | None = None
    since: datetime | None = None
    cloak: Cloak | None = None
    interval_s: int = 60
    not_before: datetime | None = None
    gone: frozenset[str] = frozenset()

    def keeps(self, now: datetime) -> bool:
        """True if pings arriving now are stored at all (P3): shared, and on duty or on a leg that has not ended."""
        return self.sharing and (self.leg is not None or (self.duty_end is not None and now < self.duty_end))


def ms(moment: datetime | None) -> int:
    """Milliseconds since the epoch, 0 for None: how times are kept inside Redis."""
    return 0 if moment is None else round(moment.timestamp() * 1000)


def moment(value_ms: int) -> datetime:
    """The aware UTC datetime of milliseconds since the epoch."""
    return datetime.fromtimestamp(value_ms / 1000, UTC)


def _moment_or_none(text: str) -> datetime | None:
    return moment(int(text)) if text != "0" else None


def packed(gate: Gate) -> list[Any]:
    """The gate as `gate.lua` takes it: name, value, name, value … (every name always, so that nothing old stays)."""
    cloak = gate.cloak or Cloak(Point(0.0, 0.0), 0.0)
    return [
        *("gen", gate.gen, "duty_end", ms(gate.duty_end), "sharing", int(gate.sharing), "dev", gate.device or ""),
        *("leg", gate.leg or "", "appt", gate.appointment or "", "since", ms(gate.since), "from", ms(gate.not_before)),
        *("clat", cloak.center.lat, "clon", cloak.center.lon, "crad", cloak.radius_m, "int", gate.interval_s),
        *("gone", ",".join(sorted(gate.gone))),
    ]


def unpacked(technician: str, fields: dict[bytes, bytes]) -> Gate:
    """The gate out of its hash."""
    value = {name.decode(): text.decode() for name, text in fields.items()}
    radius = float(value["crad"])
    return Gate(
        technician,
        int(value["gen"]),
        _moment_or_none(value["duty_end"]),
        value["sharing"] == "1",
        value["dev"] or None,
        value["leg"] or None,
        value["appt"] or None,
        _moment_or_none(value["since"]),
        Cloak(Point(float(value["clat"]), float(value["clon"])), radius) if radius else None,
        int(value["int"]),
        _moment_or_none(value["from"]),
        frozenset(filter(None, value.get("gone", "").split(","))),
    )
