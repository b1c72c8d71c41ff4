"""Recorded tracks: what is read, what is refused, how they are moved and resampled."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simulator.readers import read_track, shipped_tracks
from simulator.tracks import BadTrack, Fix, Track, as_backlog, make_track, resampled, shifted, with_motion
from tracker.domain.geo import distance_m, moved

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
GPX = '<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1" xmlns:x="urn:x"><trk><trkseg>{}</trkseg></trk></gpx>'
POINT = '<trkpt lat="{}" lon="24.9"><time>2026-05-04T12:00:0{}Z</time>{}</trkpt>'


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def line(seconds: list[float], step_m: float = 10.0) -> Track:
    start = Fix(NOON, 60.17, 24.94)
    return make_track(
        "line", [Fix(NOON + timedelta(seconds=s), *moved(start.point, 90, i * step_m)) for i, s in enumerate(seconds)]
    )


@pytest.mark.parametrize(
    ("path", "points", "km", "minutes"),
    [
        pytest.param("munich_car_1s.csv", 1194, 13.65, 20, id="csv, every second"),
        pytest.param("munich_car_15s.csv", 80, 13.37, 20, id="csv, every 15 s"),
        pytest.param("croatia_car_irregular.gpx", 104, 2.73, 9, id="gpx of a Garmin"),
    ],
)
def test_shipped_tracks_are_read_whole(path: str, points: int, km: float, minutes: int) -> None:
    track = read_track(Path(path))
    assert len(track.fixes) == points
    assert track.length_m / 1000 == pytest.approx(km, abs=0.005)
    assert round(track.duration_s / 60) == minutes
    assert path in {shipped.name for shipped in shipped_tracks()}


def test_gpx_keeps_speed_and_height_from_extensions(tmp_path: Path) -> None:
    extra = "<ele>12.5</ele><extensions><x:speed>8.25</x:speed><x:course>181</x:course></extensions>"
    track = read_track(written(tmp_path, "a.gpx", GPX.format(POINT.format("60.1", 1, extra) + POINT.format("60.2", 2, ""))))
    assert track.fixes[0] == Fix(NOON + timedelta(seconds=1), 60.1, 24.9, speed=8.25, course=181.0, ele=12.5)
    assert track.fixes[1].speed is None


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.gpx", '<!DOCTYPE gpx [<!ENTITY a "60.1">]>' + GPX.format(POINT.format("&a;", 1, ""))[21:], "DOCTYPE"),
        ("b.gpx", GPX.format(POINT.format("NaN", 1, "")), "finite"),
        ("c.gpx", GPX.format(POINT.format("90.5", 1, "")), "globe"),
        ("d.gpx", GPX.format(POINT.format("60.1", 1, ""))[:-9], "well-formed"),
        ("e.gpx", GPX.format(""), "no point"),
        ("a.csv", "t_utc,lat,lon\n2026-05-04T12:00:00Z,inf,24\n", "finite"),
        ("b.csv", "when,lat,lon\n1,2,3\n", "first line"),
        ("c.csv", "t_utc,lat,lon\nyesterday,60,24\n", "not a time"),
        ("a.geojson", '{"type":"Feature","properties":{"time":1},"geometry":{"type":"Point","coordinates":[NaN,60]}}', "NaN"),
        ("b.geojson", '{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[24,60]]}}', "one time"),
        ("c.geojson", "[" * 100_000, "not JSON"),
        ("a.kml", "<kml/>", "not .gpx"),
    ],
)
def test_what_is_not_plainly_a_track_is_refused_in_words(tmp_path: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(BadTrack, match=why):
        read_track(written(tmp_path, name, text))


def test_geojson_lines_and_points_read_the_same(tmp_path: Path) -> None:
    feature = '{{"type":"Feature","properties":{},"geometry":{{"type":"{}","coordinates":{}}}}}'
    as_line = feature.format(
        '{"coordTimes":["2026-05-04T12:00:00Z","2026-05-04T12:00:05Z"]}', "LineString", "[[24.9,60.1],[24.91,60.11]]"
    )
    points = [
        feature.format(json.dumps({"time": NOON.timestamp() * 1000 + 5000 * i}), "Point", f"[{24.9 + i / 100},{60.1 + i / 100}]")
        for i in (0, 1)
    ]
    collection = f'{{"type":"FeatureCollection","features":[{",".join(points)}]}}'
    first, second = read_track(written(tmp_path, "a.geojson", as_line)), read_track(written(tmp_path, "b.json", collection))
    assert first.fixes == second.fixes
    assert first.fixes[1] == Fix(NOON + timedelta(seconds=5), 60.11, 24.91)


def test_shifted_and_backlog_keep_the_spacing() -> None:
    track = line([0, 1, 5, 30])
    live, late = shifted(track, NOON + timedelta(days=3)), as_backlog(track, NOON + timedelta(days=3))
    assert live.fixes[0].at == late.fixes[-1].at == NOON + timedelta(days=3)
    for moved_track in (live, late):
        gaps = [(b.at - a.at).total_seconds() for a, b in itertools.pairwise(moved_track.fixes)]
        assert gaps == [1, 4, 25]


def test_resampling_walks_the_line_and_leaves_long_gaps_alone() -> None:
    track = resampled(line([0, 10, 400, 410]), 2.5)
    seconds = [(fix.at - NOON).total_seconds() for fix in track.fixes]
    assert seconds == [0, 2.5, 5, 7.5, 10, 400, 402.5, 405, 407.5, 410]
    assert distance_m(track.fixes[0].point, track.fixes[1].point) == pytest.approx(2.5, abs=0.01)


def test_resampling_crosses_the_date_line() -> None:
    track = make_track("fiji", [Fix(NOON, -17.0, 179.999), Fix(NOON + timedelta(seconds=10), -17.0, -179.999)])
    assert distance_m(resampled(track, 5).fixes[1].point, track.fixes[0].point) == pytest.approx(106, abs=1)


def test_motion_is_added_only_where_the_recording_has_none() -> None:
    track = line([0, 2, 4], step_m=20)
    said = make_track("said", [track.fixes[0], Fix(track.fixes[1].at, *track.fixes[1].point, speed=3.0), track.fixes[2]])
    moving = with_motion(said)
    assert [fix.speed for fix in moving.fixes] == pytest.approx([10, 3, 10], abs=0.01)
    assert moving.fixes[2].course == pytest.approx(90, abs=0.1)


def test_speed_is_of_this_moment_and_does_not_lag_behind() -> None:
    start = Fix(NOON, 60.17, 24.94).point
    places = [moved(start, 90, 2.0 * s * s / 2) for s in range(6)]  # 2 m/s² from standing
    track = make_track("faster", [Fix(NOON + timedelta(seconds=s), *place) for s, place in enumerate(places)])
    assert [fix.speed for fix in with_motion(track).fixes[1:5]] == pytest.approx([2, 4, 6, 8], abs=0.01)


def test_a_fix_beyond_a_gap_says_nothing_about_the_speed() -> None:
    moving = with_motion(line([0, 1, 2, 900, 901]))
    assert [fix.speed for fix in moving.fixes] == pytest.approx([10] * 5, abs=0.01)


def test_a_standing_phone_has_a_speed_but_no_course() -> None:
    moving = with_motion(line([0, 5, 10], step_m=0.5))
    assert [fix.course for fix in moving.fixes] == [None] * 3
    assert moving.fixes[1].speed == pytest.approx(0.1, abs=0.01)
