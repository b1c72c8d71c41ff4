"""A router that lets a kept connection go just as a question comes is asked once more, and only once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tracker.roads.asking import once_more

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def router(answers: list[bytes | None]) -> AsyncIterator[str]:
    """Takes connections; each gets the next of ``answers`` to its question, None: it is let go without one."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer := answers.pop(0):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_question_that_met_a_closing_door_is_asked_once_more() -> None:
    async with router([None, ANSWER]) as url, httpx.AsyncClient() as client:
        assert (await once_more(lambda: client.get(url))).text == "ok"


async def test_a_router_that_never_answers_is_not_asked_for_ever() -> None:
    answers: list[bytes | None] = [None, None, ANSWER]
    async with router(answers) as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await once_more(lambda: client.get(url))
    assert answers == [ANSWER]
