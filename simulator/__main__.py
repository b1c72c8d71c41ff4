"""The simulator's commands: `python -m simulator --help`."""

import asyncio
import json
import random
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec

from simulator.city import City, read_plan
from simulator.driving import Drive
from simulator.faults import HELP as FAULTS_HELP
from simulator.faults import Faults
from simulator.load import LoadPlan, run_load
from simulator.options import audience_of, json_option, router_options, run_now, show, to_option, viewer_options
from simulator.phones import App, Target
from simulator.readers import read_track, shipped_tracks
from simulator.receiver import Receiver, recorded
from simulator.report import Report, table
from simulator.routing import Planner, RouterKind
from simulator.run import Ride, run_rides, run_story
from simulator.technician import Pace
from simulator.tracks import Track, as_geojson, resampled
from simulator.traffic import free_speed, fullness
from tracker.domain.geo import Point

_APPS = click.Choice([app.value for app in App])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Phones and viewers that use a deployment's public doors only."""


@main.command()
@click.argument("tracks", nargs=-1, required=True, type=click.Path(path_type=Path))
@to_option
@click.option("--token", "tokens", multiple=True, required=True, envvar="SIMULATOR_TOKEN", help="A device's token; one a track.")
@click.option("--as", "app", type=_APPS, default="socket", show_default=True, help="The phone app to be.")
@click.option("--backlog", is_flag=True, help="Send at once what a phone recorded without network: fix times end now.")
@click.option("--fault", "faults", multiple=True, help=FAULTS_HELP)
@click.option("--every", type=float, help="Resample to one fix every so many seconds (default: as recorded).")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same faults.")
@click.option("--appointment", help="Watch this one; with --as socket also start the travel before and arrive after.")
@click.option("--patience", default=60.0, show_default=True, help="Seconds to wait for the last ack.")
@viewer_options
@json_option
def replay(tracks: tuple[Path, ...], tokens: tuple[str, ...], json_file: Path | None, **more: Any) -> None:
    """Replays recorded TRACKS (.gpx, .geojson, .csv), in real time or as a backlog, through one phone app.

    Tracks that come with the simulator can be named without a path; `tracks` lists them. Real time is real: there is no speed-up.
    """
    if len(tokens) != len(tracks):
        raise click.UsageError(f"{len(tracks)} tracks need {len(tracks)} tokens, one technician's phone each; got {len(tokens)}")
    show(run_now(_replay(tracks, tokens, **more)), json_file)


async def _replay(paths: tuple[Path, ...], tokens: tuple[str, ...], *, url: str, appointment: str | None, **more: Any) -> Report:
    spoil = Faults.parse(more["faults"])
    tracks = [read_track(path) for path in paths]
    targets = [Target(url, token, f"sim-{i}", not more["insecure"]) for i, token in enumerate(tokens)]
    sampled = [resampled(track, more["every"]) if more["every"] else track for track in tracks]
    audience = await audience_of(url, appointment, more)
    rides = [Ride(track, target, App(more["app"]), appointment) for track, target in zip(sampled, targets, strict=True)]
    return await run_rides(rides, audience, faults=spoil, backlog=more["backlog"], seed=more["seed"], patience_s=more["patience"])


@main.command("tracks")
def list_tracks() -> None:
    """Lists the recorded tracks that come with the simulator."""
    rows = [("track", "fixes", "km", "min")]
    for path in shipped_tracks():
        track = read_track(path)
        rows.append((path.name, str(len(track.fixes)), f"{track.length_m / 1000:.2f}", f"{track.duration_s / 60:.0f}"))
    click.echo(table(rows))


@main.command()
@click.argument("start", nargs=2, type=float, metavar="LAT LON")
@click.argument("end", nargs=2, type=float, metavar="LAT LON")
@router_options
@click.option("--seed", default=1, show_default=True)
def plan(start: tuple[float, float], end: tuple[float, float], router: str | None, router_kind: str, seed: int) -> None:
    """Plans a drive and prints it as GeoJSON that `replay` reads: one fix a second, as a phone would record it."""
    click.echo(json.dumps(as_geojson(run_now(_plan(Point(*start), Point(*end), router, RouterKind(router_kind), seed)))))


async def _plan(start: Point, end: Point, router: str | None, kind: RouterKind, seed: int) -> Track:
    async with httpx.AsyncClient(timeout=15) as client:
        way = await Planner(client, router, kind).way(start, end)
    rng = random.Random(seed)
    now = datetime.now(UTC)
    drive = Drive(way, rng, haste=free_speed(way) if router else 1.0, full=fullness(way.line[-1], now))
    return recorded(drive, Receiver(rng), now)


@main.command()
@click.argument("plan", type=click.File("rb"))
@click.option("--memory", type=click.Path(path_type=Path), help="A file that keeps where everybody is, for the next start.")
def city(plan: Any, memory: Path | None) -> None:
    """Drives all technicians of a PLAN (a JSON file, or - for standard input) through their days until Ctrl-C.

    \b
    {"url": "http://localhost:8000", "seed": 1,
     "router": {"url": "http://localhost:8002", "kind": "valhalla"},
     "technicians": [{"name": "Maya", "token": "…", "home": [60.17, 24.94]}],
     "pace": {"before_s": [5, 25], "at_door_s": [4, 12], "work_s": [60, 180], "early_s": [-60, 120]}}
    """
    run_now(_city(plan.read(), memory))


async def _city(text: bytes, memory: Path | None) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    plan = read_plan(text)
    async with httpx.AsyncClient(verify=plan.verify, timeout=15) as client:
        counts = await City(plan, client, memory).run(stop)
    click.echo(Report(counts, settled=True).as_table())


@main.command()
@to_option
@click.option("--token", required=True, envvar="SIMULATOR_TOKEN", help="The technician's device token.")
@click.option("--home", nargs=2, type=float, required=True, metavar="LAT LON", help="Where the technician is now.")
@router_options
@click.option("--visits", default=1, show_default=True, help="How many of today's appointments to do.")
@click.option("--work", default=20.0, show_default=True, help="Seconds of work at each place.")
@click.option("--appointment", help="The appointment that the viewers watch.")
@click.option("--seed", default=1, show_default=True)
@viewer_options
@json_option
def story(json_file: Path | None, **more: Any) -> None:
    """One technician's next visits from start of travel to completion, with viewers; reports latency and arrival estimates."""
    show(run_now(_story(**more)), json_file)


async def _story(url: str, token: str, home: tuple[float, float], appointment: str | None, **more: Any) -> Report:
    target = Target(url, token, "sim-story", not more["insecure"])
    audience = await audience_of(url, appointment, more)
    pace = Pace(before_s=(1, 2), at_door_s=(1, 2), work_s=(more["work"], more["work"]), early_s=None)
    async with httpx.AsyncClient(verify=target.verify, timeout=15) as client:
        planner = Planner(client, more["router"], RouterKind(more["router_kind"]))
        phone, settled = await run_story(
            target, Point(*home), planner, client, audience, pace=pace, seed=more["seed"], visits=more["visits"]
        )
    await audience.leave()
    return audience.report([phone], settled)


@main.command()
@to_option
@click.option("--appointment", required=True)
@click.option("--seconds", default=60.0, show_default=True, help="How long to watch, unless the visit ends before.")
@viewer_options
@json_option
def watch(url: str, appointment: str, seconds: float, json_file: Path | None, **more: Any) -> None:
    """Watches one appointment with many viewers and checks every promise: offsets, recovery, beats, nothing after the end."""
    show(run_now(_watch(url, appointment, seconds, more)), json_file)


async def _watch(url: str, appointment: str, seconds: float, more: dict[str, Any]) -> Report:
    audience = await audience_of(url, appointment, more | {"viewers": more["viewers"] or int(not more["polling"])})
    await audience.leave(seconds)
    return audience.report([], settled=True)


@main.command()
@click.argument("plan", type=click.File("rb"))
@json_option
def load(plan: Any, json_file: Path | None) -> None:
    """Load from a PLAN (JSON file, or -): phones × rate, viewers; percentiles of ack and ping → viewer.

    \b
    {"url": "http://localhost:8000", "rate": 1, "seconds": 20, "warm_s": 3,
     "phones": [{"token": "…", "place": [60.17, 24.94], "appointment": "…", "start": true}],
     "viewers": [{"cookie": "session=…", "appointment": "…"}]}
    """
    report = run_now(run_load(msgspec.json.decode(plan.read(), type=LoadPlan)))
    click.echo(table(report.rows()))
    if json_file:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


if __name__ == "__main__":
    main(prog_name="python -m simulator")
