"""The commands: help that helps, refusals in one sentence, plans that can be replayed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.__main__ import main
from simulator.city import read_plan
from simulator.day import Job, NoPlan, in_order, read_job
from simulator.driving import FASTEST_MPS
from simulator.options import crowds
from simulator.readers import read_track
from tracker.domain.geo import Point, distance_m


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command: str) -> None:
    said = CliRunner().invoke(main, [command, "--help"])
    assert said.exit_code == 0
    assert len(said.output.splitlines()) > 5


def test_a_track_that_is_none_is_refused_in_one_sentence() -> None:
    said = CliRunner().invoke(main, ["replay", "no.gpx", "--to", "http://localhost:1", "--token", "t"])
    assert said.exit_code == 1
    assert "no.gpx: no such file" in said.output
    assert "Traceback" not in said.output


def test_each_track_needs_its_own_phone() -> None:
    said = CliRunner().invoke(main, ["replay", "munich_car_1s.csv", "munich_car_15s.csv", "--to", "http://x", "--token", "t"])
    assert said.exit_code == 2
    assert "2 tracks need 2 tokens" in said.output


def test_a_planned_drive_can_be_replayed(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["plan", "60.17", "24.94", "60.18", "24.95", "--seed", "3"])
    assert said.exit_code == 0, said.output
    path = tmp_path / "plan.geojson"
    path.write_text(said.output)
    track = read_track(path)
    assert distance_m(track.fixes[-1].point, Point(60.18, 24.95)) < 40
    assert max(fix.speed or 0 for fix in track.fixes) < FASTEST_MPS
    assert 100 < track.duration_s < 900


def test_a_city_plan_is_read_strictly() -> None:
    plan = read_plan(b'{"url":"http://x","technicians":[{"name":"Maya","token":"t","home":[60.1,24.9]}],"pace":{"work_s":[5,6]}}')
    assert plan.technicians[0].home == (60.1, 24.9)
    assert plan.pace.work_s == (5, 6)
    with pytest.raises(ValueError, match="unknown field"):
        read_plan(b'{"url":"http://x","technicians":[],"pase":{}}')


@pytest.mark.parametrize(
    ("sockets", "polling", "groups"), [(0, 3, [(0, 3)]), (50, 0, [(50, 0)]), (101, 2, [(50, 2), (50, 0), (1, 0)])]
)
def test_many_viewers_share_few_sessions(sockets: int, polling: int, groups: list[tuple[int, int]]) -> None:
    assert crowds(sockets, polling) == groups


def test_the_day_is_done_in_order() -> None:
    def job(name: str, state: str, hour: int) -> Job:
        item = {
            "id": name,
            "state": state,
            "lat": 60,
            "lon": 24,
            "arrival_at": f"2026-05-04T{hour:02}:00:00Z",
            "duration_min": 30,
        }
        return read_job(item)

    jobs = [job("c", "scheduled", 14), job("x", "completed", 8), job("b", "scheduled", 12), job("a", "traveling", 15)]
    assert [item.id for item in in_order(jobs)] == ["a", "b", "c"]
    assert jobs[0].arrival_at == datetime(2026, 5, 4, 14, tzinfo=UTC)
    with pytest.raises(NoPlan, match="cannot be read"):
        read_job({"id": "a"})
