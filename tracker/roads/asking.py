"""Asking a router over a kept connection: questions change nothing, so one that met a closing door is asked once more."""

from collections.abc import Awaitable, Callable

import httpx


async def once_more(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer; asked anew, on a new connection, if the server let the old one go just as the question came."""
    try:
        return await ask()
    except httpx.RemoteProtocolError:
        return await ask()
