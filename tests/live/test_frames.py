"""The short form of an update, down to its last value."""

import json
from datetime import UTC, datetime

import pytest

from tracker.domain.geo import Point
from tracker.live import frames


@pytest.mark.parametrize(
    ("eta", "tail"),
    [
        (b"", [None, None, None, None, "battery"]),
        (
            b'{"at":"2026-11-22T09:10:00Z","low":"2026-11-22T09:08:00Z","high":"2026-11-22T09:13:00Z","basis":"road"}',
            [600, 120, 180, None, "battery"],
        ),
    ],
    ids=["no-eta", "eta"],
)
def test_a_short_update_ends_with_the_reason_of_silence(eta: bytes, tail: list[object]) -> None:
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    position = b'{"lat":60.0,"lon":24.0,"fix_at":"2026-11-22T08:59:58Z","contact_at":"2026-11-22T09:00:00Z","reason":"battery"}'
    seen = frames.read(b'{"ep":"e","o":3,"k":"update","leg":"l","p":%b,"e":%b}' % (position, eta or b"null"))
    assert json.loads(frames.short_update(seen, Point(60, 24), now))[7:] == [0, *tail]
