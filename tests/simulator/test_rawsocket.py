"""The bare client against a server of the `websockets` library: the same protocol, written by others."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from simulator.rawsocket import HandshakeFailed, client_frame, open_raw


async def echo(socket: ServerConnection) -> None:
    assert socket.request is not None
    if socket.request.path == "/bye":
        await socket.close(4409, "replaced")
        return
    if socket.request.path == "/ping":
        await (await socket.ping())
        await socket.send(socket.request.headers["X-Asked"])
    async for message in socket:
        await socket.send(message)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serve(echo, "127.0.0.1", 0, compression=None, max_size=None) as server:
        yield f"http://127.0.0.1:{port_of(server)}"


def port_of(server: Server) -> int:
    return int(next(iter(server.sockets)).getsockname()[1])


async def test_frames_of_every_size_come_back_whole_and_in_order(url: str) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    socket = await open_raw(url, "/echo", heard.put_nowait)
    texts = [b"x" * size for size in (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)] + ["größer".encode()]
    for text in texts:
        socket.send(client_frame(text))
    async with asyncio.timeout(60):
        assert [await heard.get() for _ in texts] == texts
        socket.close()
        await socket.closed


async def test_pings_are_answered_and_headers_sent(url: str) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    socket = await open_raw(url, "/ping", heard.put_nowait, {"X-Asked": "yes"})
    async with asyncio.timeout(60):
        assert await heard.get() == b"yes"
    socket.close()
    await socket.closed


async def test_the_close_code_is_kept(url: str) -> None:
    socket = await open_raw(url, "/bye", lambda _: None)
    async with asyncio.timeout(60):
        assert await socket.closed == 4409


async def test_a_server_that_refuses_says_its_status() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        with pytest.raises(HandshakeFailed, match="403 Forbidden"):
            await open_raw(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "/", lambda _: None)
