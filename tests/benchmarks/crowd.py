"""A crowd of viewers in one process that costs little: raw sockets, frames counted, ``seen`` answered; told by stdin."""

import asyncio
import base64
import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Crowd:
    """What all viewers share."""

    every: int  # answer ``seen`` after so many updates; 0: never
    frames: int = 0
    bytes: int = 0
    open: int = 0
    goal: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def count(self, size: int) -> None:
        self.frames += 1
        self.bytes += size
        if self.frames == self.goal:
            self.reached.set()


class Viewer(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: Crowd, host: str, path: str, cookie: str, watch: bytes | None) -> None:
        self.crowd, self.watch, self.unseen = crowd, watch, 0
        key = base64.b64encode(os.urandom(16)).decode()
        self.hello = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nCookie: tt={cookie}\r\n\r\n"
        ).encode()
        self.buffer, self.shaken = b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport  # uvloop's is none of asyncio's classes
        self.transport.write(self.hello)

    def say(self, payload: bytes) -> None:
        """A masked text frame; the mask is zero, which is a mask."""
        size = len(payload)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2)
        self.transport.write(head + b"\0\0\0\0" + payload)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.shaken:
            head, found, self.buffer = self.buffer.partition(b"\r\n\r\n")
            if not found:
                self.buffer = head
                return
            if b" 101 " not in head:
                raise SystemExit(head.decode())
            self.shaken = True
            if self.watch is not None:
                self.say(self.watch)
            else:
                self.crowd.open += 1
        while self.take():
            pass

    def take(self) -> bool:
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        size, start = buffer[1] & 0x7F, 2
        if size == 126:
            size, start = int.from_bytes(buffer[2:4]), 4
        elif size == 127:
            size, start = int.from_bytes(buffer[2:10]), 10
        if len(buffer) < start + size:
            return False
        payload, self.buffer = buffer[start : start + size], buffer[start + size :]
        if buffer[0] == 0x81:
            self.heard(payload)
        return True

    def heard(self, payload: bytes) -> None:
        if payload.startswith(b'{"type":"snapshot"'):
            self.crowd.open += 1
            return
        if payload.startswith(b'{"type":"beat"'):
            return
        self.crowd.count(len(payload))
        self.unseen += 1
        if self.crowd.every and self.unseen >= self.crowd.every:
            self.unseen = 0
            offset = (
                payload[1 : payload.index(b",")] if payload[:1] == b"[" else payload.split(b'"offset":', 1)[1].split(b",", 1)[0]
            )
            self.say(b'{"type":"seen","offset":%b}' % offset)


async def main(port: int, path: str, count: int, cookies: list[str], watch: str | None, every: int) -> None:
    crowd, loop = Crowd(every), asyncio.get_running_loop()
    said, host = watch.encode() if watch else None, f"127.0.0.1:{port}"
    for start in range(0, count, 50):
        batch = range(start, min(start + 50, count))
        makers = [lambda n=n: Viewer(crowd, host, path, cookies[n % len(cookies)] if cookies else "-", said) for n in batch]
        await asyncio.gather(*(loop.create_connection(make, "127.0.0.1", port) for make in makers))
    while crowd.open < count:  # noqa: ASYNC110 - once, before anything is measured
        await asyncio.sleep(0.02)
    print(json.dumps({"open": crowd.open}), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        crowd.goal = crowd.frames + int(line)  # tell when so many more frames have come
        crowd.reached.clear()
        print("armed", flush=True)
        await crowd.reached.wait()
        print(json.dumps({"frames": crowd.frames, "bytes": crowd.bytes}), flush=True)


if __name__ == "__main__":
    import uvloop

    given = json.loads(sys.argv[1])
    uvloop.run(main(**given))
