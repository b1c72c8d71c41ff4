"""The router of an installation."""

import asyncio
from pathlib import Path

import pytest

from tests.roads.streets import crossing
from tracker.domain.ways import Basis
from tracker.roads import opening
from tracker.roads.opening import open_router
from tracker.roads.server import EmbeddedValhalla

WAY = (crossing(1, 1), crossing(8, 8))


async def test_a_built_region_is_served_from_the_start(town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_WAIT_S", 60.0)  # however slow the machine is
    async with open_router(None, "valhalla", town, tmp_path / "router") as router:
        assert router.answering
        assert (await router.route(*WAY)).basis is Basis.ROAD


async def test_a_region_built_later_is_taken_up(town: Path, tmp_path: Path) -> None:
    async with open_router(None, "valhalla", tmp_path / "roads", tmp_path / "router") as router:
        assert not router.answering
        assert (await router.route(*WAY)).basis is Basis.DISTANCE
        (tmp_path / "roads").symlink_to(town)
        async with asyncio.timeout(90):
            while not router.answering:  # noqa: ASYNC110 no event tells of it
                await asyncio.sleep(0.02)
        assert (await router.route(*WAY)).basis is Basis.ROAD


async def test_a_server_elsewhere_is_asked_by_url(valhalla: EmbeddedValhalla, tmp_path: Path) -> None:
    async with open_router(f"{valhalla.url}/", "valhalla", tmp_path / "none", tmp_path / "state") as router:
        assert (await router.route(*WAY)).source == "valhalla"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("kind", ["valhalla", "osrm"])
async def test_a_server_elsewhere_that_is_down_means_distance(kind: str, unused_port: int, tmp_path: Path) -> None:
    async with open_router(f"http://127.0.0.1:{unused_port}", kind, tmp_path, tmp_path) as router:
        assert router.name == kind
        assert (await router.route(*WAY)).basis is Basis.DISTANCE
        assert not router.answering
