"""One web process of the service, for tests that need several of them and kill some."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog
import uvloop

from tracker.app import create_app, open_house
from tracker.config import Config, PublicAddress
from tracker.web.listener import listener

SECRET = b"the secret of the tests, 32 bytes"


async def main(database_url: str, redis_url: str, port: int, how: str) -> None:
    """Serve until SIGTERM; prints ``ready``. ``how``: "direct", or "asgi" for a server that is not ours."""
    public = PublicAddress("http", "127.0.0.1", port)
    data = Path(os.environ["TRACKER_DATA"])
    config = Config(public=public, data=data, database_url=database_url, redis_url=redis_url, secret=SECRET, port=port)
    async with open_house(config) as house:
        server = listener(create_app(house, config), "127.0.0.1", port)
        if how == "asgi":
            server.config.ws = "websockets-sansio"
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, server.handle_exit, signal.SIGTERM, None)
        loop.add_reader(sys.stdin, os._exit, 1)  # the end of its input is the end of the test run that started it
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        await house.hub.subscription.connected.wait()
        print("ready", flush=True)
        await serving


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # nobody reads stdout after "ready"
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
