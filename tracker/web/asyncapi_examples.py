"""One frame of each kind, as the description of the sockets shows it; tests let the code read and write every one of them."""

from typing import Any

_POSITION = {
    "lat": 60.17012,
    "lon": 24.93911,
    "acc": 6.0,
    "course": 181.0,
    "speed": 8.3,
    "fix_at": "2026-11-22T09:00:00.250Z",
    "contact_at": "2026-11-22T09:00:00.412Z",
    "interval_s": 5,
}
_ETA = {"at": "2026-11-22T09:12:00Z", "low": "2026-11-22T09:10:00Z", "high": "2026-11-22T09:16:00Z", "basis": "road"}
_VISIT = {
    "id": "4be1c09f55aa0312",
    "booking_id": "WP-7K2M-XQ4T",
    "service": "Heat pump service",
    "address": "Esimerkkikatu 1, Helsinki",
    "lat": 60.1699,
    "lon": 24.9384,
    "zone": "Europe/Helsinki",
    "duration_min": 90,
    "arrival_at": "2026-11-22T09:15:00Z",
    "ends_at": "2026-11-22T10:45:00Z",
    "traveling_at": "2026-11-22T08:55:00Z",
}
_NOW = "2026-11-22T09:00:00.412Z"

EXAMPLES: dict[str, list[Any]] = {
    "hello": [
        {"type": "hello", "token": "the-device-token", "boot": "b3f1", "first": 12, "device": "pixel-7"},
        {"type": "hello", "boot": "b3f1", "first": 1},
    ],
    "pings": [
        {
            "type": "pings",
            "sent": "2026-11-22T09:00:00.400Z",
            "pings": [
                {
                    "seq": 41,
                    "at": "2026-11-22T09:00:00.250Z",
                    "lat": 60.1699,
                    "lon": 24.9384,
                    "acc": 6.0,
                    "speed": 8.3,
                    "course": 181.0,
                    "battery": 0.71,
                },
                {"seq": 42, "at": "2026-11-22T09:00:05.250Z", "lat": 60.1695, "lon": 24.9384},
            ],
        }
    ],
    "step": [
        {
            "type": "step",
            "id": "c-9",
            "appointment": "4be1c09f55aa0312",
            "step": "start_travel",
            "from": "scheduled",
            "at": "2026-11-22T09:00:00Z",
        }
    ],
    "sharing": [{"type": "sharing", "id": "c-10", "on": False, "reason": "lunch"}],
    "welcome": [
        {
            "type": "welcome",
            "technician": "91c2a07be1f04d55",
            "acked": 40,
            "now": "2026-11-22T09:00:00.412Z",
            "policy": {"interval_s": 5, "sharing": True, "appointment": "4be1c09f55aa0312"},
        }
    ],
    "ack": [
        {"type": "ack", "seq": 41},
        {"type": "ack", "seq": 41, "also": [57], "refused": [{"seq": 39, "rule": "impossible_jump"}]},
    ],
    "suggest": [{"type": "suggest", "appointment": "4be1c09f55aa0312", "step": "arrive"}],
    "policy": [{"type": "policy", "interval_s": 60, "sharing": True, "appointment": None}],
    "stepped": [{"type": "stepped", "id": "c-9", "appointment": "4be1c09f55aa0312", "state": "traveling"}],
    "error": [
        {
            "type": "error",
            "id": "c-9",
            "code": "step_not_possible",
            "message": "This step is not possible in the appointment's present state.",
        }
    ],
    "watch": [
        {"type": "watch", "appointment": "4be1c09f55aa0312", "epoch": "9f2c", "offset": 17},
        {"type": "watch", "appointment": "4be1c09f55aa0312", "short": True},
    ],
    "watchBoard": [{"type": "watch", "board": True, "bbox": [24.8, 60.1, 25.1, 60.3]}],
    "seen": [{"type": "seen", "offset": 19}],
    "snapshot": [
        {
            "type": "snapshot",
            "now": _NOW,
            "epoch": "9f2c",
            "offset": 18,
            "recovered": True,
            "state": "traveling",
            "appointment": _VISIT,
            "technician": {"name": "Maya", "vehicle": "White van", "sharing": True},
            "position": _POSITION,
            "eta": _ETA,
            "route": "_izlhA~rlgdF_{geC~ywl@_kwzCn`{nI",
            "reason": None,
            "arriving": False,
            "expected": None,
        }
    ],
    "update": [{"type": "update", "now": _NOW, "offset": 19, "position": _POSITION, "eta": _ETA}],
    "shortUpdate": [[19, 22, 71, 6, 181, 8, 0, 0, 720, 120, 240], [20, 24, 71, None, None, None, 4, 1]],
    "state": [{"type": "state", "now": _NOW, "offset": 20, "state": "in_progress", "at": "2026-11-22T09:00:00.400Z"}],
    "ended": [{"type": "ended", "now": _NOW, "offset": 21, "state": "completed", "at": "2026-11-22T09:00:00.400Z"}],
    "beat": [{"type": "beat", "now": _NOW}],
    "boardSnapshot": [
        {
            "type": "snapshot",
            "now": _NOW,
            "technicians": [{"technician": "91c2a07be1f04d55", "name": "Maya Lind", "appointment": None, "position": _POSITION}],
        }
    ],
    "boardUpdate": [
        {
            "type": "update",
            "now": _NOW,
            "offset": 1,
            "technicians": [{"technician": "91c2a07be1f04d55", "appointment": None, "position": None}],
        }
    ],
}
