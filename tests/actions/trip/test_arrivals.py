"""The ETA as it is told."""

from datetime import UTC, datetime, timedelta

from tracker.actions.trip.arrivals import as_json, still_ahead
from tracker.domain.eta import Basis, Eta

NOW = datetime(2026, 11, 23, 9, 0, 0, 400_000, tzinfo=UTC)
TOLD = {"at": "2026-11-23T09:05:00Z", "low": "2026-11-23T09:02:00Z", "high": "2026-11-23T09:11:00Z", "basis": "road"}


def test_an_old_estimate_never_lies_in_the_past() -> None:
    assert still_ahead(TOLD, NOW) == TOLD
    later = still_ahead(TOLD, NOW + timedelta(minutes=7))
    assert later == TOLD | {"at": "2026-11-23T09:07:00Z", "low": "2026-11-23T09:07:00Z"}
    assert set(still_ahead(TOLD, NOW + timedelta(hours=1)).values()) == {"2026-11-23T10:00:00Z", "road"}


def test_without_a_learned_range_no_range_is_made_up() -> None:
    assert as_json(Eta(NOW, None, None, Basis.ROAD)).count("2026-11-23T09:00:00Z") == 3
