"""The rules by name; nothing can freeze the marker; F9 and F11 on made-up drives."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.drives import distance_of, drive, spiked
from tracker.domain.geo import Point, moved
from tracker.domain.pings import FUTURE_S, HISTORY, MAX_ACC_M, RULES, Believed, Ping, believe, judge

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = Point(60.1699, 24.9384)


def ping(after_s: float = 0, metres: float = 0, bearing: float = 90, **more: float) -> Ping:
    place = moved(HERE, bearing, metres)
    return Ping(**{"at": NOW + timedelta(seconds=after_s), "lat": place.lat, "lon": place.lon, "acc": 6.0, **more})


def rule_of(one: Ping, last: Ping | None = None, *, chosen: bool = True, later_s: float = 60) -> str | None:
    belief = believe(last) if last is not None else None
    return judge(one, belief, NOW + timedelta(seconds=later_s), chosen=chosen).rule


@pytest.mark.parametrize(
    ("one", "rule"),
    [
        (ping(lat=90.1), "off_the_globe"),
        (ping(lat=86), "off_the_globe"),
        (ping(lon=-180.1), "off_the_globe"),
        (ping(lat=float("nan")), "off_the_globe"),
        (ping(lon=float("inf")), "off_the_globe"),
        (ping(lat=0.0, lon=0.0), "null_island"),
        (ping(after_s=100), "from_the_future"),
        (ping(after_s=-8 * 86400), "too_old"),
        (ping(acc=800.0), "too_vague"),
        (ping(lat=85.0, lon=180.0), None),
        (ping(after_s=80), None),
        (ping(after_s=-36000), None),
        (ping(acc=150.0), None),
    ],
    ids=str,
)
def test_a_ping_alone(one: Ping, rule: str | None) -> None:
    assert rule_of(one) == rule


@pytest.mark.parametrize(
    ("one", "rule"),
    [
        (ping(), "duplicate"),
        (ping(metres=3), "out_of_order"),
        (ping(after_s=-5, metres=3), "out_of_order"),
        (ping(after_s=5, metres=70), None),
        (ping(after_s=5, metres=5000), "impossible_jump"),
        (ping(after_s=3600, metres=100_000), None),
        (ping(after_s=3600, metres=1_000_000), "impossible_jump"),
    ],
    ids=str,
)
def test_a_ping_after_another(one: Ping, rule: str | None) -> None:
    assert rule_of(one, ping(), later_s=7200) == rule


def test_what_a_jump_is_depends_on_how_well_both_places_are_known() -> None:
    assert rule_of(ping(1, 150, acc=5.0), ping(acc=5.0)) == "impossible_jump"
    assert rule_of(ping(1, 150, acc=80.0), ping(acc=5.0)) is None


def test_the_phones_own_speed_tells_small_spikes() -> None:
    driving = {"speed": 12.0, "course": 90.0}
    assert rule_of(ping(5, 60, **driving), ping(**driving)) is None
    assert rule_of(ping(5, 60, bearing=180, **driving), ping(**driving)) == "impossible_jump"
    assert rule_of(ping(5, 120, **driving), ping(**driving)) == "impossible_jump"


def test_a_phone_that_always_says_speed_zero_may_move() -> None:
    last: Believed | None = None
    for n in range(20):
        verdict = judge(ping(5 * n, 70 * n, speed=0.0, course=0.0), last, NOW + timedelta(seconds=5 * n))
        assert verdict.moves
        last = verdict.last


def test_another_device_writes_history_only() -> None:
    verdict = judge(ping(), None, NOW, chosen=False)
    assert (verdict.rule, verdict.kept, verdict.moves) == ("other_device", True, False)


def test_what_is_late_is_history() -> None:
    verdict = judge(ping(-60), believe(ping()), NOW)
    assert (verdict.rule, verdict.kept, verdict.moves, verdict.last) == ("out_of_order", True, False, believe(ping()))


def test_refused_is_refused() -> None:
    for one in (ping(lat=91.0), ping(acc=800.0), ping(after_s=1, metres=5000)):
        verdict = judge(one, believe(ping(-1)), NOW + timedelta(seconds=1))
        assert (verdict.kept, verdict.moves) == (False, False)


def test_every_rule_has_a_sentence_and_its_own_name() -> None:
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    assert all(rule.__doc__ for rule in RULES)
    assert set(RULES) > HISTORY


# -- nothing freezes the marker ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("metres", [2_000, 50_000, 4_300_000])
def test_two_agreeing_suspects_move_the_anchor(metres: float) -> None:
    last: Believed | None = believe(ping())
    rules = []
    for n in range(1, 5):
        verdict = judge(ping(5 * n, metres + 60 * n), last, NOW + timedelta(seconds=60))
        rules.append(verdict.rule)
        last = verdict.last
    assert rules == ["impossible_jump", None, None, None]


def test_a_spike_and_back_leaves_the_anchor() -> None:
    last = judge(ping(5, 5000), believe(ping()), NOW + timedelta(seconds=60)).last
    assert judge(ping(10, 50), last, NOW + timedelta(seconds=60)).rule is None


@given(st.lists(st.tuples(st.floats(-85, 85), st.floats(-180, 180)), min_size=4, max_size=30))
def test_of_any_places_in_a_row_every_third_is_believed(places: list[tuple[float, float]]) -> None:
    last: Believed | None = None
    waiting = 0
    for n, (lat, lon) in enumerate(places):
        verdict = judge(ping(n, lat=lat, lon=lon or 1.0), last, NOW + timedelta(seconds=60))
        last = verdict.last
        waiting = 0 if verdict.moves or verdict.rule == "null_island" else waiting + 1
        assert waiting <= 2


def test_a_plane_is_shown_too() -> None:
    last: Believed | None = None
    moves = 0
    for n in range(30):
        verdict = judge(ping(10 * n, 2400 * n, speed=240.0, course=90.0), last, NOW + timedelta(seconds=10 * n))
        last, moves = verdict.last, moves + verdict.moves
    assert moves >= 10


def test_across_the_date_line_is_near() -> None:
    east, west = (
        Ping(at=NOW, lat=-17.0, lon=179.9999, acc=5),
        Ping(at=NOW + timedelta(seconds=5), lat=-17.0, lon=-179.9999, acc=5),
    )
    assert judge(west, believe(east), NOW + timedelta(seconds=5)).moves


# -- F9: doubled, shuffled, late ---------------------------------------------------------------------------------------


def test_f9_the_marker_never_goes_back() -> None:
    rnd = Random(9)
    sent = [(one, NOW + timedelta(seconds=n)) for n, one in enumerate(drive(rnd, 1200, 1))]
    order = sorted(range(len(sent)), key=lambda n: n + (rnd.uniform(0, 60) if rnd.random() < 0.3 else 0))
    arriving = [n for n in order for _ in range(2 if rnd.random() < 0.3 else 1)]
    last: Believed | None = None
    marker: list[datetime] = []
    kept = set()
    for n in arriving:
        verdict = judge(sent[n][0], last, NOW + timedelta(hours=1))
        last = verdict.last
        if verdict.moves:
            marker.append(sent[n][0].at)
        if verdict.kept or verdict.rule == "duplicate":
            kept.add(n)
    assert marker == sorted(set(marker))
    assert kept == set(range(len(sent)))


# -- F11: spikes -------------------------------------------------------------------------------------------------------


def spikes(seed: int, tracks: int, interval_s: float, says_speed: bool) -> Counter[str]:
    """How many spikes were refused and missed, good pings refused and believed.

    A track's first fix is left good: nothing could tell that it is not.
    """
    rnd = Random(seed)
    found: Counter[str] = Counter()
    for _ in range(tracks):
        pings = drive(rnd, 120 * interval_s, interval_s, says_speed=says_speed)
        last = believe(pings[0])
        for one, metres in spiked(rnd, pings[1:]):
            verdict = judge(one, last, one.at)
            last = verdict.last or last
            found[("spike " if metres else "good ") + str(verdict.rule)] += 1
    return found


def shares(found: Counter[str], of: str) -> tuple[float, float]:
    """(share of spikes refused, share of good pings refused), printed as F11's figures."""
    hit, missed = found["spike impossible_jump"], found["spike None"]
    wronged, good = found["good impossible_jump"], found["good None"]
    refused, wrong = hit / (hit + missed), wronged / (wronged + good)
    print(f"F11 {of}: {refused:.2%} of {hit + missed} spikes refused, {wrong:.3%} of {wronged + good} good pings refused")
    return refused, wrong


def test_a_made_up_drive_is_a_drive() -> None:
    assert 3_000 < distance_of(drive(Random(1), 600, 1)) < 20_000


WAYS = [(1, True), (1, False), (2, True), (5, True)]


def test_f11_spikes_are_refused_and_good_pings_are_not() -> None:
    found: Counter[str] = Counter()
    for interval_s, says_speed in WAYS:
        found += spikes(11, 150, interval_s, says_speed)
    refused, wronged = shares(found, "short")
    assert refused >= 0.995
    assert wronged <= 0.001


@pytest.mark.faults
def test_f11_ten_thousand_tracks() -> None:
    """The same on 10,000 tracks; a fix a second to one every 5 s, one phone in four without speed."""
    found: Counter[str] = Counter()
    for interval_s, says_speed in WAYS:
        way = spikes(1111, 2500, interval_s, says_speed)
        shares(way, f"every {interval_s} s, {'with' if says_speed else 'no'} speed")
        found += way
    refused, wronged = shares(found, "10,000 tracks")
    assert refused >= 0.995
    assert wronged <= 0.001


def test_f11_a_true_jump_is_believed_within_three_fixes() -> None:
    rnd = Random(12)
    for _ in range(200):
        pings = drive(rnd, 120, 2, says_speed=rnd.random() < 0.7)
        metres, bearing = rnd.uniform(3_000, 500_000), rnd.uniform(0, 360)
        last: Believed | None = None
        for one in pings[:30]:
            last = judge(one, last, one.at).last
        jumped = [
            msgspec.structs.replace(one, lat=at.lat, lon=at.lon)
            for one in pings[30:33]
            for at in [moved(one.point, bearing, metres)]
        ]
        verdicts = []
        for one in jumped:
            verdicts.append(judge(one, last, one.at))
            last = verdicts[-1].last
        assert not verdicts[0].moves
        assert any(verdict.moves for verdict in verdicts)


def test_the_docs_name_every_rule() -> None:
    words = (Path(__file__).parents[2] / "docs" / "phones.md").read_text()
    for rule in RULES:
        assert f"`{rule.__name__}`" in words
    assert str(MAX_ACC_M) in words
    assert str(FUTURE_S) in words
