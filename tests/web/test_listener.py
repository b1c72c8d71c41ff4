"""What uvicorn does not do by itself: a request head has a deadline and a size."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.serving import free_socket, serving
from tracker.web import listener


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers everything."""
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "HEADERS_S", 0.3)


@pytest.fixture
async def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Puts the loop's clock forward; a head's deadline is 20 s then, which no slow machine reaches by itself."""
    monkeypatch.setattr(listener, "HEADERS_S", 20.0)
    loop, ahead = asyncio.get_running_loop(), 0.0
    real = loop.time

    def forward(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    monkeypatch.setattr(loop, "time", lambda: real() + ahead)
    return forward


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("head", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nA: b"])
async def test_a_head_that_does_not_come_is_not_waited_for(head: bytes, tmp_path: Path) -> None:
    bound = free_socket()
    async with serving(app, bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(head)
        async with asyncio.timeout(12):
            assert await reader.read() == b""
        writer.close()


async def test_the_next_request_of_a_connection_has_its_own_deadline(
    later: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = free_socket()
    async with serving(app, bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(1)
            later(10)  # three times that is longer than the deadline of one head
        monkeypatch.setattr(listener, "HEADERS_S", 0.3)
        writer.write(b"GET / HT")
        async with asyncio.timeout(12):
            assert await reader.read() == b""
        writer.close()


async def test_a_slow_body_is_not_a_slow_head(later: Callable[[float], None]) -> None:
    bound, begun = free_socket(), asyncio.Event()

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            begun.set()
        await app(scope, receive, send)

    async with serving(telling, bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        await begun.wait()
        later(21)  # longer than a head may take
        writer.write(b"b")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()


@pytest.mark.parametrize("used_before", [True, False])
async def test_a_request_on_its_way_when_the_end_begins_is_answered(used_before: bool) -> None:
    """F19: uvicorn closes idle connections at once, and with them what the kernel holds of a request that it did not read."""
    bound = free_socket()
    server = listener.listener(app, "127.0.0.1", 0)
    running = asyncio.create_task(server.serve(sockets=[bound]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*bound.getsockname())
    if used_before:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n0")).endswith(b"0")
    while not server.server_state.connections:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for connection in server.server_state.connections:  # what the server does first when it is told to end
        connection.shutdown()
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(12):
        said = await reader.read()
    assert b"200 OK" in said
    assert b"connection: close" in said.lower()
    writer.close()
    server.should_exit = True
    await running


async def test_a_head_of_any_size_is_not_kept() -> None:
    bound = free_socket()
    async with serving(app, bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
        try:
            for number in range(100):
                writer.write(f"H{number}: {'x' * 1000}\r\n".encode())
                await writer.drain()
            assert await reader.read() == b""
        except ConnectionError:
            pass  # the same, seen while writing
        writer.close()


SHAKE = (
    "GET /ws/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize("more", [f"Cookie: a={'x' * 9_000}\r\n", "A: b\r\n" * 140], ids=["long", "many"])
async def test_a_handshake_whose_headers_are_too_much_is_refused_not_left_open(more: str) -> None:
    bound = free_socket()
    async with serving(app, bound):
        reader, writer = await asyncio.open_connection(*bound.getsockname())
        try:
            writer.write(f"{SHAKE}{more}\r\n".encode())
            async with asyncio.timeout(12):
                assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        finally:
            writer.close()
