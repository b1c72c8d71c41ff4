"""Frames as bytes: cut anywhere, many in one piece, with control frames and fragments between them."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from websockets.frames import Frame, Opcode

from tests.phones.clients import TOKEN, Web, fix

HELLO = {"type": "hello", "token": TOKEN, "boot": "b", "first": 1}


def framed(said: object, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    """One masked frame of a client."""
    payload = said if isinstance(said, bytes) else msgspec.json.encode(said)
    return Frame(opcode, payload, fin).serialize(mask=True)


def pings(seq: int, **more: object) -> dict[str, object]:
    return {"type": "pings", "pings": [fix(seq, seq)], **more}


class Wire:
    """A socket of which we see and write the bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def write(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if len(pieces) > 1:
                await asyncio.sleep(0)

    async def frame(self) -> tuple[int, bytes]:
        """(opcode, payload) of what the server says next."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2))
        return first & 0x0F, await self._reader.readexactly(size)

    async def heard(self) -> dict[str, object]:
        opcode, payload = await asyncio.wait_for(self.frame(), 60)
        assert opcode == Opcode.TEXT, (opcode, payload)
        return json.loads(payload)  # type: ignore[no-any-return]

    async def acked(self, seq: int) -> None:
        """Everything up to ``seq`` is acknowledged; other words (a policy) may come between."""
        said = await self.heard()
        while said["type"] != "ack" or said["seq"] != seq:
            assert said["type"] == "policy" or said["seq"] < seq  # type: ignore[operator]
            said = await self.heard()

    async def closed(self) -> int:
        while True:
            opcode, payload = await asyncio.wait_for(self.frame(), 60)
            if opcode == Opcode.CLOSE:
                return int.from_bytes(payload[:2])

    async def over(self) -> None:
        """Say goodbye, and wait for the end of the connection."""
        await self.write(framed(b"\x03\xe8", Opcode.CLOSE))
        assert await asyncio.wait_for(self._reader.read(), 60) == b""


@asynccontextmanager
async def wire(web: Web, token: str = TOKEN) -> AsyncIterator[Wire]:
    """After hello and welcome."""
    host, port = web.origin.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /ws/technician HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    open_wire = Wire(reader, writer)
    await open_wire.write(framed(HELLO | {"token": token}))
    assert (await open_wire.heard())["type"] == "welcome"
    try:
        yield open_wire
    finally:
        writer.close()
        await writer.wait_closed()


def cut(data: bytes, step: int) -> Iterator[bytes]:
    return (data[i : i + step] for i in range(0, len(data), step))


async def test_a_frame_cut_at_every_byte_is_one_frame(here: Web) -> None:
    async with wire(here) as phone:
        for at in range(1, len(framed(pings(1)))):
            whole = framed(pings(at))
            await phone.write(whole[:at], whole[at:])
            await phone.acked(at)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100_000])
async def test_many_frames_in_pieces_of_any_size_are_taken_in_their_order(here: Web, step: int) -> None:
    async with wire(here) as phone:
        stream = b"".join(
            [
                framed(pings(1)),
                framed(b"are you there", Opcode.PING),
                framed(pings(2)),
                framed(json.dumps(pings(3))[:40].encode(), fin=False),  # in two fragments
                framed(b"", Opcode.PING),
                framed(json.dumps(pings(3))[40:].encode(), Opcode.CONT),
                framed(pings(4, padding="x" * 300)),
                framed({"type": "sharing", "id": "s", "on": True}),
                framed(pings(5, padding="x" * 6_000)),
            ]
        )
        await phone.write(*cut(stream, step))
        acks, pongs = [], []
        while not acks or acks[-1] != 5:
            opcode, payload = await asyncio.wait_for(phone.frame(), 60)
            if opcode == Opcode.PONG:
                pongs.append(payload)
            elif (said := json.loads(payload))["type"] == "ack":
                acks.append(said["seq"])
        assert acks == [1, 2, 3, 4, 5]
        assert pongs == [b"are you there", b""]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        pytest.param(Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002, id="not masked"),
        pytest.param(b"\xc1\x82\0\0\0\0{}", 1002, id="a reserved bit"),
        pytest.param(b"\x83\x82\0\0\0\0{}", 1002, id="an unknown opcode"),
        pytest.param(b"\x81\xff" + (1 << 40).to_bytes(8) + b"\0\0\0\0", 1009, id="announces a terabyte"),
        pytest.param(framed(b'{"type":"pings","pings":[],"x":"\xff"}'), 1007, id="not UTF-8"),
        pytest.param(framed(b"\xc3", fin=False) + framed(b"\x28", Opcode.CONT), 1007, id="not UTF-8 in two fragments"),
        pytest.param(framed(b"", Opcode.PING) * 1_000, 4429, id="a flood of pings whose answers are read"),
        pytest.param(framed(b"", Opcode.PONG) * 1_000, 4429, id="a flood of pongs"),
        pytest.param(framed(b"", Opcode.CONT), 1002, id="a fragment of nothing"),
        pytest.param(framed(b"{", fin=False) + framed(pings(1)), 1002, id="a text amid fragments"),
        pytest.param(framed(b"\x03\xe8", Opcode.CLOSE) + framed(pings(1)), 1000, id="a frame after goodbye"),
    ],
)
async def test_a_broken_frame_is_no_way_round_the_rules(
    here: Web, frame: bytes, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with wire(here) as phone:
        await phone.write(framed(pings(1)))
        await phone.acked(1)
        await phone.write(frame)
        assert await phone.closed() == code
    assert [line for line in caplog.records if line.levelname == "ERROR"] == []
