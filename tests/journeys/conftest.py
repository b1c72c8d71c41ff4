"""A real Chromium and the real service for the journeys."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.portal_web.living import Town, living

HERE = Path(__file__).parent

expect.set_options(timeout=30_000)  # as all other waiting for a page: five seconds are little on a machine that has more to do


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys on one loop, which is the browser's; their async fixtures say `loop_scope="session"` themselves."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, one for all journeys, which share its loop; every visitor has a context of their own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def town(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """The service on real servers, with Maya and her customer Anna."""
    async with living(sqlite_url, redis_url, tmp_path) as made:
        yield made
