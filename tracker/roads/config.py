"""Valhalla's configuration files: small, quiet, bound to loopback."""

from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_UNUSED = ("tile_extract", "traffic_extract", "admin", "landmarks", "timezone", "transit_dir", "transit_feeds_dir")
_CACHE_BYTES = 128 * 1024 * 1024
_TIMEOUT_S = 10


def binary(name: str) -> Path:
    """A program out of the wheel (the console scripts of the same names fail). Found without importing the library."""
    spec = find_spec("valhalla")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pyvalhalla is not installed")
    return Path(spec.submodule_search_locations[0]) / "bin" / name


def build_config() -> dict[str, Any]:
    """For `valhalla_build_tiles`, run with the new region's folder as working directory."""
    # Imported here: only the one process that builds or runs the router needs it, and it loads the whole engine.
    from valhalla import get_config

    config: dict[str, Any] = deepcopy(get_config(tile_extract="", tile_dir=""))
    for key in _UNUSED:
        config["mjolnir"].pop(key, None)
    config["mjolnir"] |= {"tile_dir": "tiles", "max_cache_size": _CACHE_BYTES}
    # No country borders are at hand: without this the build looks for a database of them.
    config["mjolnir"]["data_processing"]["use_admin_db"] = False
    config.pop("additional_data", None)
    # Requests hold positions, so nothing is logged.
    config["logging"] = {"type": ""}
    return config


def service_config(port: int) -> dict[str, Any]:
    """For `valhalla_service`, run in the region's folder. Its request time-out is off by default: a stuck one would stay."""
    config = build_config()
    config["httpd"]["service"] |= {
        "listen": f"tcp://127.0.0.1:{port}",
        "drain_seconds": 1,
        "shutdown_seconds": 1,
        "timeout_seconds": _TIMEOUT_S,
    }
    config["loki"]["actions"] = ["route", "sources_to_targets", "status"]
    return config
