"""The part of `tracker roads build` that makes what people see: street map and address index, from one reading of the extract."""

from pathlib import Path

from tracker.roads.address_index import build_addresses
from tracker.roads.basemap import Built, build_basemap
from tracker.roads.extract import read
from tracker.roads.files import ADDRESSES, BASEMAP


def build_street_map(region: Path, folder: Path) -> Built:
    """Write ``basemap.mbtiles`` and ``addresses.sqlite`` into the folder; BadConfiguration if the extract cannot be read."""
    extract = read(region)
    built = build_basemap(extract, folder / BASEMAP)
    build_addresses(extract, folder / ADDRESSES)
    return built
