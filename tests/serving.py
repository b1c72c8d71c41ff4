"""The application behind a real uvicorn on a free port of this machine."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from tracker.config import Config, PublicAddress
from tracker.web.listener import listener

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What a client of our own http addresses trusts: nothing. Reading the real certificates is most of what a client costs."""


def free_socket() -> socket.socket:
    """A socket that is bound to a free port and kept, so that nobody else can get it."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only if told so
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", 0))
    return bound


def config_for(bound: socket.socket, data: Path, *, scheme: str = "http") -> Config:
    """A configuration whose public address is that socket's."""
    port = bound.getsockname()[1]
    public = PublicAddress(scheme, "127.0.0.1", port)
    return Config(public=public, data=data, database_url="", redis_url=None, secret=b"the secret of the tests, 32 bytes")


@asynccontextmanager
async def serving(app: ASGIApp, bound: socket.socket) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the application and hand out a client that behaves as our own page would (Origin, Sec-Fetch-Site)."""
    server = listener(app, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    running = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        async with asyncio.timeout(60):
            while not server.started:
                if running.done():
                    await running
                await asyncio.sleep(0.01)  # uvicorn has no event for this
        own = {"Origin": url, "Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(base_url=url, headers=own, timeout=20, verify=PLAIN) as client:
            yield client
    finally:
        server.should_exit = True
        await running
