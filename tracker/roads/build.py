"""`tracker roads build`: from one OpenStreetMap extract to a finished region: router tiles, street map, addresses, manifest."""

import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import osmium

from tracker.errors import BadConfiguration
from tracker.roads.config import binary, build_config
from tracker.roads.extract import ATTRIBUTION
from tracker.roads.streetmap import build_street_map

LICENCE = "ODbL 1.0, https://www.openstreetmap.org/copyright"

type Say = Callable[[str], None]


class Manifest(msgspec.Struct, frozen=True):
    """What a built region was made of. ``bounds`` are west, south, east, north in degrees."""

    source: str
    sha256: str
    bounds: tuple[float, float, float, float]
    attribution: str
    licence: str
    built_at: datetime


def build(region: Path, into: Path, now: datetime, say: Say = lambda _: None) -> Manifest:
    """Build a region from an ``.osm.pbf`` and put it in place in one step; a running router notices and takes it.

    Raises BadConfiguration if the extract cannot be read or has no roads; the folder is then as it was before.
    """
    if not region.is_file():
        raise BadConfiguration(f"There is no file {region}.")
    into.parent.mkdir(parents=True, exist_ok=True)
    fresh = _beside(into, f"{os.getpid()}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        manifest = _manifest(region, now)
        for title, part in _PARTS:
            say(title)
            part(region.resolve(), fresh)
        (fresh / "manifest.json").write_bytes(msgspec.json.encode(manifest))
        _swap(fresh, into)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    say(f"{into}: ready")
    return manifest


def read_manifest(region: Path) -> Manifest | None:
    """The manifest of a built region; None if nothing was built there."""
    try:
        return msgspec.json.decode((region / "manifest.json").read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None


def _manifest(region: Path, now: datetime) -> Manifest:
    with region.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Manifest(region.name, digest, read_bounds(region), ATTRIBUTION, LICENCE, now)


def read_bounds(region: Path) -> tuple[float, float, float, float]:
    """The box the extract says it covers, else that of its places."""
    try:
        with osmium.io.Reader(str(region)) as reader:
            box = reader.header().box()
        if not box.valid():
            for node in osmium.FileProcessor(str(region), osmium.osm.NODE):
                if isinstance(node, osmium.osm.Node):
                    box.extend(node.location)
    except RuntimeError as error:
        raise BadConfiguration(f"{region.name} is not an OpenStreetMap extract.") from error
    if not box.valid():
        raise BadConfiguration(f"{region.name} has no places.")
    return (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat)


# -- the parts ---------------------------------------------------------------------------------------------------------


def build_tiles(region: Path, folder: Path) -> None:
    """The router's tiles, in ``folder/tiles``. Raises BadConfiguration if there are none in the end."""
    (folder / "tiles").mkdir()
    config = folder / "valhalla.json"
    config.write_text(json.dumps(build_config()))
    threads = str(min(4, os.cpu_count() or 1))
    command = [str(binary("valhalla_build_tiles")), "-c", config.name, "-j", threads, str(region)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 the wheel's own program
    config.unlink()
    if done.returncode != 0 or not any((folder / "tiles").rglob("*.gph")):
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise BadConfiguration(f"No router tiles could be built from {region.name}: {lines[-1] if lines else 'no roads in it'}.")
    for leftover in (folder / "tiles").glob("*.bin"):
        leftover.unlink()


_PARTS: tuple[tuple[str, Callable[[Path, Path], object]], ...] = (
    ("the router's tiles", build_tiles),
    ("the street map and the addresses", build_street_map),
)


# -- putting it in place -----------------------------------------------------------------------------------------------

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def _beside(into: Path, suffix: str) -> Path:
    return into.with_name(f".{into.name}.{suffix}")


def _swap(fresh: Path, into: Path) -> None:
    """Put the new folder in place; the one before stays as ``.NAME.old`` until the next build, for a router that reads it."""
    old = _beside(into, "old")
    shutil.rmtree(old, ignore_errors=True)
    if not into.exists():
        fresh.rename(into)
    elif _exchange(fresh, into):
        fresh.rename(old)
    else:
        into.rename(old)
        fresh.rename(into)


def _exchange(a: Path, b: Path) -> bool:
    """Linux: both names swapped in one step, so that there is never no region. False where the system cannot do that."""
    if sys.platform != "linux":
        return False
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except AttributeError:
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE) == 0)
