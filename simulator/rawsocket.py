"""A bare WebSocket client for load (RFC 6455): text frames over one asyncio transport, no task and no queue per connection."""

import asyncio
import base64
import hashlib
import secrets
import struct
from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_NO_MASK = b"\0\0\0\0"
"""Clients must mask; a mask of zeros leaves the bytes as they are, so that a frame can be encoded beforehand."""


class HandshakeFailed(ConnectionError):
    """The server did not switch to WebSocket; the text has its status line."""


def client_frame(payload: bytes, opcode: int = _TEXT) -> bytes:
    """One final masked frame (zero mask)."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0xFE, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0xFF, length)
    return head + _NO_MASK + payload


class RawSocket(asyncio.Protocol):
    """One connection. ``heard`` gets every text frame's bytes, in the loop's own call."""

    def __init__(self, url: str, path: str, heard: Callable[[bytes], None], headers: Mapping[str, str] | None = None) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """The close code once it is over; 1006 if torn."""
        self._heard = heard
        self._key = base64.b64encode(secrets.token_bytes(16))
        self._request = _upgrade(url, path, self._key, headers or {})
        self._buffer = bytearray()
        self._open = False
        self._code = 1006
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by name
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(HandshakeFailed("the connection ended before the handshake"))
            self.ready.exception()
        if not self.closed.done():
            self.closed.set_result(self._code)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open and not self._handshake():
            return
        self._frames()

    def send(self, frame: bytes) -> None:
        """Writes a frame made by `client_frame`."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)

    def close(self, code: int = 1000) -> None:
        """Says goodbye and closes."""
        self.send(client_frame(struct.pack("!H", code), _CLOSE))
        if self._transport is not None:
            self._transport.close()

    def _handshake(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        wanted = base64.b64encode(hashlib.sha1(self._key + _GUID, usedforsecurity=False).digest())
        fields = {line.split(b":", 1)[0].lower(): line.split(b":", 1)[1].strip() for line in head[1:]}
        if b" 101 " not in head[0] or fields.get(b"sec-websocket-accept") != wanted:
            self.ready.set_exception(HandshakeFailed(head[0].decode("latin-1")))
            if self._transport is not None:
                self._transport.close()
            return False
        self._open = True
        self.ready.set_result(None)
        return True

    def _frames(self) -> None:
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1] & 0x7F, at + 2
            if size == 126 and len(buffer) - at >= 4:
                size, start = int.from_bytes(buffer[at + 2 : at + 4]), at + 4
            elif size == 127 and len(buffer) - at >= 10:
                size, start = int.from_bytes(buffer[at + 2 : at + 10]), at + 10
            elif size >= 126:
                break
            if len(buffer) < start + size:
                break
            self._frame(buffer[at], bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]

    def _frame(self, first: int, payload: bytes) -> None:
        match first & 0x0F:
            case 0x1 if first & 0x80:
                self._heard(payload)
            case 0x9:
                self.send(client_frame(payload, _PONG))
            case 0x8:
                self._code = int.from_bytes(payload[:2]) if len(payload) >= 2 else 1005
                self.close(1000)
            case 0xA:
                pass
            case _:  # the service never fragments and never sends bytes
                self._code = 1003
                self.close(1003)


def _upgrade(url: str, path: str, key: bytes, headers: Mapping[str, str]) -> bytes:
    host = urlsplit(url).netloc
    fields = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", **headers}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join(lines).encode() + b"\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"


async def open_raw(url: str, path: str, heard: Callable[[bytes], None], headers: Mapping[str, str] | None = None) -> RawSocket:
    """Connects and switches to WebSocket. Raises OSError (HandshakeFailed with the server's status line)."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    loop = asyncio.get_running_loop()
    _, made = await loop.create_connection(
        lambda: RawSocket(url, path, heard, headers), parts.hostname or "", port, ssl=True if parts.scheme == "https" else None
    )
    await asyncio.wait_for(made.ready, 15)
    return made
