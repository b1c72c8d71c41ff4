"""What is published about a visit, and the bytes that viewers get of it: encoded once, shared by all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tracker.domain.geo import Point


class Published(msgspec.Struct):
    """One message on a visit's channel (docs/architecture.md, "A viewer's frames"): position and ETA are public JSON already."""

    ep: str
    o: int
    k: str  # update state closed route
    leg: str | None = None
    p: msgspec.Raw = msgspec.Raw()
    e: msgspec.Raw = msgspec.Raw()
    s: str | None = None
    at: str | None = None
    ended: bool = False


class _Position(msgspec.Struct):
    lat: float
    lon: float
    fix_at: datetime
    contact_at: datetime
    acc: float | None = None
    course: float | None = None
    speed: float | None = None
    reason: str | None = None


class _Eta(msgspec.Struct):
    at: datetime
    basis: str
    low: datetime | None = None
    high: datetime | None = None


class _Seen(msgspec.Struct, tag_field="type", tag="seen"):
    """What a viewer answers an update with."""

    offset: int


_read = msgspec.json.Decoder(Published).decode
_read_seen = msgspec.json.Decoder(_Seen).decode
_read_position = msgspec.json.Decoder(_Position).decode
_read_eta = msgspec.json.Decoder(_Eta).decode
_write = msgspec.json.Encoder().encode


def read(data: bytes) -> Published:
    """A published message. Errors: msgspec.DecodeError (ValidationError) for anything else."""
    return _read(data)


class Answers:
    """Reads what viewers answer updates with. All of a visit say the same of an update: what was said last is not read again."""

    __slots__ = ("_offset", "_text")

    def __init__(self) -> None:
        self._text, self._offset = b"", -1

    def seen(self, text: bytes) -> int:
        """The offset that a ``seen`` names; -1: this is none."""
        if text != self._text:
            try:
                self._offset = _read_seen(text).offset
            except (msgspec.DecodeError, UnicodeError):
                return -1
            self._text = text
        return self._offset


class Frame:
    """One published message and its forms for viewers, made when first needed and shared from then on."""

    __slots__ = ("_forms", "epoch", "heard", "is_update", "now", "offset", "published")

    def __init__(self, published: Published, now: datetime, heard: float) -> None:
        self.published = published
        self.epoch, self.offset, self.is_update = published.ep, published.o, published.k == "update"
        self.now = now  # the server's clock when it was heard; ``heard`` the same on the monotonic clock
        self.heard = heard
        self._forms: dict[Point | None, bytes] = {}

    def wire(self, short: Point | None, now: float) -> bytes:
        """The whole WebSocket frame. ``short``: the place of the visit, for viewers that asked for short updates.

        A frame that waited in a mailbox is made anew with the clock of its sending: ``now`` tells the page how old the
        position is, so an old ``now`` would make an old position look fresh.
        """
        waited = now - self.heard
        if waited > 0.25:
            return text_frame(self._payload(short, self.now + timedelta(seconds=waited)))
        form = self._forms.get(short)
        if form is None:
            form = self._forms[short] = text_frame(self._payload(short, self.now))
        return form

    def _payload(self, short: Point | None, now: datetime) -> bytes:
        seen = self.published
        if not self.is_update:
            kind = b"ended" if seen.ended else b"state"
            return b'{"type":"%b","now":"%b","offset":%d,"state":%b,"at":%b}' % (
                *(kind, moment(now), seen.o, _write(seen.s), _write(seen.at)),
            )
        if short is not None and seen.p:
            return short_update(seen, short, now)
        shown = (moment(now), seen.o, bytes(seen.p) or b"null", bytes(seen.e) or b"null")
        return b'{"type":"update","now":"%b","offset":%d,"position":%b,"eta":%b}' % shown


def short_update(seen: Published, place: Point, now: datetime) -> bytes:
    """A bare array: ``[offset, north, east, acc, course, speed, age, contact, eta, early, late, basis, reason]``; null: unknown.

    north, east: 10⁻⁵ degrees from the appointment's place (about a metre); metres; degrees; m/s; age of fix and of contact in
    seconds; ETA in seconds from now, low and high as distances from it; basis only if it is not
    ``road``; reason (why the position may get old) only if there is one.
    """
    p = _read_position(seen.p)
    values: list[Any] = [
        seen.o,
        round((p.lat - place.lat) * 1e5),
        round(((p.lon - place.lon + 540) % 360 - 180) * 1e5),
        *(None if value is None else round(value) for value in (p.acc, p.course, p.speed)),
        *(max(0, _seconds(now, at)) for at in (p.fix_at, p.contact_at)),
    ]
    if seen.e and bytes(seen.e) != b"null":
        e = _read_eta(seen.e)
        values += [_seconds(e.at, now), e.low and _seconds(e.at, e.low), e.high and _seconds(e.high, e.at)]
        values += [] if e.basis == "road" else [e.basis]
    if p.reason is not None:
        values += [None] * (12 - len(values)) + [p.reason]
    return _write(values)


def _seconds(later: datetime, earlier: datetime) -> int:
    return round((later - earlier).total_seconds())


def moment(now: datetime) -> bytes:
    """RFC 3339 in UTC with milliseconds, without quotes."""
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def beat(now: datetime) -> bytes:
    """A sign of life, shared by all viewers of a process."""
    return text_frame(b'{"type":"beat","now":"%b"}' % moment(now))


def text_frame(payload: bytes) -> bytes:
    """The payload as one unmasked WebSocket text frame (RFC 6455 §5.2), ready for any number of sockets."""
    size = len(payload)
    if size < 126:
        return b"\x81%c%b" % (size, payload)
    if size < 1 << 16:
        return b"\x81\x7e%b%b" % (size.to_bytes(2), payload)
    return b"\x81\x7f%b%b" % (size.to_bytes(8), payload)


def payload_of(frame: bytes) -> bytes:
    """The payload of a frame made by `text_frame` (for servers that make their own frames)."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]


def frame_bounds(data: bytes, at: int) -> tuple[int, int]:
    """(start, end) of the payload of the frame that begins at ``at`` (RFC 6455 §5.2); not known yet: beyond the data."""
    if at + 2 > len(data):
        return at + 2, at + 2
    masked, size = divmod(data[at + 1], 128)
    start = at + 2
    if size >= 126:
        wide = 2 if size == 126 else 8
        if start + wide > len(data):
            return start + wide, start + wide
        size, start = int.from_bytes(data[start : start + wide]), start + wide
    start += 4 * masked
    return start, start + size
