"""The simulator against the whole service: real tracks through every app, a trip with viewers, and nothing but public doors."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import redis

from simulator.faults import Faults
from simulator.load import LoadPlan, LoadViewer, run_load
from simulator.loadphone import LoadPhone
from simulator.phones import App, GivenUp, SocketPhone, Target
from simulator.readers import read_track
from simulator.routing import Planner
from simulator.run import Audience, Ride, run_rides, run_story
from simulator.site import CannotSignIn, sign_in
from simulator.technician import Pace
from simulator.tracks import Fix, Track, make_track
from tests.simulator.deployment import PASSWORD, Deployment, deployed, pairs
from tests.world import HOME, PLACE
from tracker.domain.geo import Point, distance_m, moved

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPS = [App.SOCKET, App.OWNTRACKS, App.TRACCAR8, App.TRACCAR9, App.TRACCAR10, App.OVERLAND, App.GPSLOGGER]
TRACKS = {"munich_car_1s.csv": 100, "munich_car_15s.csv": None, "croatia_car_irregular.gpx": None}
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SPEED_ERROR_MPS = {App.OWNTRACKS: 0.5 / 3.6 + 0.001}
"""OwnTracks writes whole km/h; every other app's speed arrives as it was."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """One for all tests of this file, each with technicians of its own: two processes take seconds to start."""
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()
    folder = tmp_path_factory.mktemp("deployment")
    async with deployed(f"sqlite+aiosqlite:///{folder / 'tracker.db'}", valkey_url, folder / "data") as found:
        yield found


def shortened(name: str) -> Track:
    track = read_track(Path(name))
    return replace(track, fixes=track.fixes[: TRACKS[name]])


async def test_real_tracks_through_every_app_are_acked_and_stored_as_they_were(service: Deployment) -> None:
    rides, who = [], []
    for app in APPS:
        for name in TRACKS:
            technician, target = await service.technician()
            rides.append(Ride(shortened(name), target, app))
            who.append(technician)
    reports = await asyncio.gather(*(run_rides([ride], backlog=True) for ride in rides))
    for ride, technician, report in zip(rides, who, reports, strict=True):
        said = len(ride.track.fixes)
        assert report.good, report.as_table()
        assert (report.phones.said, report.phones.sent, report.phones.acked) == (said, said, said)
        assert not report.phones.trouble
        stored = await service.stored(technician, said - 1)
        assert said - 1 <= len(stored) <= said  # munich has one fix that no car could have reached
        for fix, point in pairs(ride.track, stored):
            assert distance_m(fix.point, Point(point.lat, point.lon)) < 1
            assert fix.speed is not None
            assert point.speed == pytest.approx(fix.speed, abs=SPEED_ERROR_MPS.get(ride.app, 0.01))


async def test_faults_on_the_way_lose_nothing_and_double_nothing(service: Deployment) -> None:
    technician, target = await service.technician()
    ride = Ride(shortened("munich_car_15s.csv"), target)
    report = await run_rides([ride], faults=Faults.parse(["kills=6", "duplicates=0.4"]), backlog=True, haste=50)
    assert report.good, report.as_table()
    assert report.phones.resent > 0
    stored = await service.stored(technician, 79)
    assert len({(point.fix_at, point.lat) for point in stored}) == len(stored) >= 79


async def test_a_trip_is_seen_live_by_viewers_who_came_in_by_the_front_door(service: Deployment) -> None:
    technician, target = await service.technician(home=HOME)
    appointment = await service.visit(technician, PLACE)
    site = await sign_in(service.url, "anna@example.org", PASSWORD)
    audience = Audience()
    audience.invite(site, appointment, sockets=5, polling=1)
    assert await audience.seated()
    drive = make_track("drive", [Fix(NOON + timedelta(seconds=s), *moved(PLACE, 270, 160 - 10 * s)) for s in range(10)])
    report = await run_rides([Ride(drive, target, appointment=appointment)], audience)
    assert report.broken == ()
    assert report.good, report.as_table()
    assert report.latency is not None
    assert report.latency.count >= 5 * 5
    assert report.frames["state"] >= 5 * 2
    assert {viewer.witness.state for viewer in audience.viewers} == {"in_progress"}
    assert all(viewer.witness.arrived_at for viewer in audience.viewers)
    assert sum(score.shown for score in report.etas.values()) > 0


async def test_a_story_inside_the_cloak_is_told_without_a_single_position(service: Deployment) -> None:
    start = moved(PLACE, 45, 20)
    technician, target = await service.technician(home=start)
    appointment = await service.visit(technician, PLACE)
    audience = Audience()
    audience.invite(await sign_in(service.url, "anna@example.org", PASSWORD), appointment, sockets=2)
    assert await audience.seated()
    pace = Pace(before_s=(0, 0), at_door_s=(0, 0), work_s=(0, 0), early_s=None)
    async with httpx.AsyncClient(timeout=15) as client:
        phone, settled = await run_story(target, start, Planner(client), client, audience, pace=pace, seed=31, visits=1)
    await audience.leave(10)
    report = audience.report([phone], settled)
    assert report.good, report.as_table()
    assert report.latency is None
    assert report.phones.acked >= 2  # one at the start, another as soon as the shorter interval is asked for
    assert all(viewer.witness.over and viewer.witness.state == "completed" for viewer in audience.viewers)


async def test_a_wrong_token_and_a_wrong_password_are_told_apart_from_trouble(service: Deployment) -> None:
    async with SocketPhone(Target(service.url, "no such token")) as phone:
        with pytest.raises(GivenUp, match="4401"):
            await phone.step("a", "start_travel", "scheduled")
    with pytest.raises(CannotSignIn, match="not let in"):
        await sign_in(service.url, "anna@example.org", "wrong password")


async def test_load_is_acked_seen_and_timed(service: Deployment) -> None:
    site = await sign_in(service.url, "anna@example.org", PASSWORD)
    phones, viewers = [], []
    for i in range(8):
        technician, target = await service.technician()
        appointment = await service.visit(technician, PLACE)
        place = moved(PLACE, 45 * i, 2000)
        phones.append(LoadPhone(token=target.token, place=(place.lat, place.lon), appointment=appointment, start=True))
        viewers.append(LoadViewer(cookie=site.cookie, appointment=appointment))
    report = await run_load(LoadPlan(url=service.url, phones=tuple(phones), viewers=tuple(viewers), rate=4, seconds=3, warm_s=1))
    assert report.sent == report.acked == 8 * 4 * 4
    assert report.refused == {}
    assert report.closed == {}
    assert report.latency is not None
    assert report.ack is not None
    assert report.ack.count >= 8 * 4 * 3 * 0.9
    assert report.latency.count >= 8 * 4 * 3 * 0.5  # slow viewers are told the newest only
