"""The report's figures, what a viewer must notice, and latency on one clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from simulator.journal import Journal
from simulator.phones.base import Counts
from simulator.report import Report, Spread, percentile, score_etas, table
from simulator.run import Audience
from simulator.site import CannotSignIn, Site, sign_in_form
from simulator.tracks import Fix
from simulator.viewers import Viewer
from simulator.witness import Witness

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(minutes: float) -> str:
    return (NOON + timedelta(minutes=minutes)).isoformat()


def eta(when: float, low: float, high: float, basis: str = "road") -> dict[str, str]:
    return {"at": at(when), "low": at(low), "high": at(high), "basis": basis}


def position(minutes: float) -> dict[str, Any]:
    return {"lat": 60.17, "lon": 24.94, "fix_at": at(minutes), "contact_at": at(minutes), "interval_s": 5}


def snapshot(offset: int, state: str = "traveling", epoch: str = "a", minutes: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"type": "snapshot", "now": at(minutes), "epoch": epoch, "offset": offset, "state": state, **more}


def update(offset: int, minutes: float, **more: Any) -> dict[str, Any]:
    return {"type": "update", "now": at(minutes), "offset": offset, **more}


def state(offset: int, what: str, minutes: float) -> dict[str, Any]:
    return {"type": "state", "now": at(minutes), "offset": offset, "state": what}


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([7], 0.99, 7), ([1, 2, 3, 4], 0.5, 2.5), (list(range(101)), 0.9, 90), ([3, 1, 2], 0.0, 1), ([3, 1, 2], 1.0, 3)],
)
def test_percentiles(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_nothing_measured_is_not_zero() -> None:
    assert Spread.of([]) is None
    assert Spread.of([0.010, 0.020]) == Spread(2, 15.0, 19.0, 19.9, 20.0)


def test_a_good_story_breaks_no_promise_and_gives_its_times() -> None:
    shown: list[int] = []
    witness = Witness(seen=shown.append)
    assert not witness.heard(snapshot(1, "scheduled"))
    assert not witness.heard(state(2, "traveling", 1))
    assert witness.heard(update(3, 2, position=position(2), eta=eta(21, 18, 24)))
    assert not witness.heard({"type": "beat", "now": at(3)})
    assert witness.heard(update(7, 11, position=position(11), eta=eta(22, 20, 23)))
    witness.heard(state(8, "in_progress", 21))
    witness.heard({"type": "ended", "now": at(60), "offset": 9, "state": "completed"})
    assert witness.broken == []
    assert witness.over
    assert (witness.left_at, witness.arrived_at) == (NOON + timedelta(minutes=1), NOON + timedelta(minutes=21))
    assert shown == [round((NOON + timedelta(minutes=m)).timestamp() * 1000) for m in (2, 11)]


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([snapshot(5), update(5, 1)], "offset 5 after 5"),
        ([snapshot(5), update(4, 1)], "offset 4 after 5"),
        ([snapshot(5), snapshot(4)], "snapshot at offset 4 after 5"),
        ([snapshot(5), snapshot(9, epoch="b", recovered=True)], "two epochs"),
        ([snapshot(5), state(6, "in_progress", 1), update(7, 2, position=position(2))], "a position while in_progress"),
        ([snapshot(5, "scheduled", position=position(0))], "a position while scheduled"),
        ([snapshot(5, eta=eta(5, 6, 7))], "outside its own range"),
    ],
)
def test_broken_promises_are_noticed(frames: list[dict[str, Any]], why: str) -> None:
    witness = Witness()
    for frame in frames:
        witness.heard(frame)
    assert len(witness.broken) == 1
    assert why in witness.broken[0]


def test_a_new_epoch_may_begin_again_below() -> None:
    witness = Witness()
    for frame in (snapshot(50), snapshot(1, epoch="b", recovered=False), update(2, 1)):
        witness.heard(frame)
    assert witness.broken == []


def test_estimates_are_scored_against_the_true_arrival_by_basis() -> None:
    witness = Witness()
    witness.heard(snapshot(1, "scheduled"))
    witness.heard(state(2, "traveling", 0))
    witness.heard(update(3, 0.1, eta=eta(30, 15, 40, "booked")))  # arrives at 20: 600 s too late, range holds
    witness.heard(update(4, 2, eta=eta(19, 17, 19.5)))  # range misses
    witness.heard(update(5, 9, eta=eta(22, 19, 25)))  # the one seen at half time: +120 s
    witness.heard(update(6, 14, eta=eta(21, 19, 23)))  # the one seen five minutes before: +60 s
    witness.heard(update(7, 18, eta=eta(20, 19.5, 20.5)))
    witness.heard(state(8, "in_progress", 20))
    scores = score_etas([witness])
    assert set(scores) == {"booked", "road"}
    assert scores["booked"].moments["start"].error_s == 600
    assert (scores["road"].shown, scores["road"].coverage) == (4, 0.75)
    assert scores["road"].moments["half"].bias_s == 120
    assert scores["road"].moments["5 min before"].bias_s == 60
    assert "start" not in scores["road"].moments


def test_a_trip_that_was_joined_late_or_never_arrived_is_not_scored() -> None:
    witness = Witness()
    witness.heard(snapshot(1, eta=eta(5, 4, 6)))
    assert score_etas([witness]) == {}


def test_latency_matches_the_nearest_fix_once_per_viewer() -> None:
    journal = Journal()
    fix = Fix(NOON + timedelta(milliseconds=400), 60.0, 24.0)
    journal.sent(fix)
    rounded = round(NOON.timestamp() * 1000)
    first = journal.seen("a", rounded)
    assert first is not None
    assert first >= 0
    assert journal.seen("a", rounded) is None
    assert journal.seen("b", rounded) is not None
    assert journal.seen("b", rounded + 5000) is None
    assert len(journal.latencies_s) == 2


def test_a_report_is_json_and_a_table() -> None:
    counts = Counts(said=10, sent=10, acked=10)
    counts.refused["impossible_jump"] = 2
    report = Report(counts, settled=True, latency=Spread.of([0.004]), viewers=1, frames={"update": 3})
    assert report.good
    said = msgspec.json.decode(report.as_json())
    assert said["phones"]["refused"] == {"impossible_jump": 2}
    assert said["latency"]["p50"] == 4.0
    assert "refused: impossible_jump" in report.as_table()
    assert not Report(counts, settled=False).good
    assert not Report(counts, settled=True, broken=("x",)).good


def test_tables_are_aligned() -> None:
    assert table([("a", "b"), ("longer", 1)]) == "a       b\n------  -\nlonger  1"


def test_the_sign_in_form_is_found_by_its_password() -> None:
    page = """<form action="/search"><input type="text" name="q"></form>
    <form method="post" action="/in"><input type="hidden" name="form_token" value="t1"><input type="email" name="email">
    <input type="password" name="secret"><button>Sign in</button></form>"""
    assert sign_in_form(page) == ("/in", {"form_token": "t1"}, "email", "secret")
    with pytest.raises(CannotSignIn):
        sign_in_form("<form><input name='q'></form>")


def test_a_trip_counts_once_however_many_watch_it() -> None:
    audience = Audience()
    for appointment, viewers in (("a1", 5), ("a2", 1)):
        for number in range(viewers):
            viewer = Viewer(Site("http://t"), appointment, f"{appointment}-{number}")
            for frame in (
                snapshot(1, "scheduled"),
                state(2, "traveling", 0),
                update(3, 1, eta=eta(9, 8, 12)),
                state(4, "in_progress", 10),
            ):
                viewer.witness.heard(frame)
            audience.viewers.append(viewer)
    report = audience.report([], settled=True)
    assert report.viewers == 6
    assert report.etas["road"].shown == 2
    assert report.etas["road"].moments["start"].trips == 2
