"""Puts the router of this installation together: the configured server, the embedded one, or distance."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tracker.roads.fallback import FallbackRouter
from tracker.roads.osrm import OsrmRouter
from tracker.roads.router import Router
from tracker.roads.server import EmbeddedValhalla
from tracker.roads.valhalla import ValhallaRouter

_WAIT_S = 3.0
"""The router starts in a quarter of a second; on a busy machine the service does not wait for it much longer."""


@asynccontextmanager
async def open_router(url: str | None, kind: str, region: Path, state: Path) -> AsyncIterator[FallbackRouter]:
    """The router while the block runs (E1): that at ``url`` (``kind`` valhalla or osrm), else one embedded for ``region``.

    ``state`` is a folder this machine's processes share. A region built later is taken up without a restart; until then,
    and whenever no router answers, answers are by distance.
    """
    if url is not None:
        external: Router = OsrmRouter(url) if kind == "osrm" else ValhallaRouter(url.rstrip("/"))
        router = FallbackRouter(external)
        try:
            yield router
        finally:
            await router.close()
        return
    server = EmbeddedValhalla(region, state)
    router = FallbackRouter(ValhallaRouter(lambda: server.url))
    await server.start(wait_s=_WAIT_S if (region / "manifest.json").exists() else 0.0)
    try:
        yield router
    finally:
        await router.close()
        await server.stop()
