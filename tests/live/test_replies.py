"""Redis behind TLS and a password: batches are kept and channels heard as over any other connection, and again after a cut."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from secrets import token_hex

import pytest
import trustme

from tests.live.hubs import process, until
from tracker.domain.appointments import State
from tracker.live.connect import Redis, RedisTimeoutError, connect
from tracker.live.keep import KEPT
from tracker.live.script import Line


class Tunnel:
    """TLS in front of a Redis on a unix socket; it can break every connection, and swallow what Redis says."""

    def __init__(self, redis_url: str, context: ssl.SSLContext) -> None:
        self._path, self._context = redis_url.removeprefix("unix://"), context
        self._writers: set[asyncio.StreamWriter] = set()
        self._heard = b""
        self.mute = False
        self.port = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, ssl=self._context)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    def asked(self, word: bytes) -> bool:
        """True once somebody said this to Redis."""
        return word in self._heard

    async def _carry(self, near_in: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        far_in, far = await asyncio.open_unix_connection(self._path)
        self._writers |= {near, far}
        await asyncio.gather(self._pour(near_in, far), self._pour(far_in, near, answers=True))

    async def _pour(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, *, answers: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if not answers:
                    self._heard += data
                if not (answers and self.mute):
                    to.write(data)
                    await to.drain()
        self._writers.discard(to)
        to.close()


@pytest.fixture
async def tunnel(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[Tunnel, str]]:
    """The tunnel and the address of the Redis behind it: with a user and a password of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    tunnel, user, plain = Tunnel(redis_url, context), token_hex(4), connect(redis_url)
    await plain.acl_setuser(user, enabled=True, passwords=["+secret"], keys="*", channels="*", commands=["+@all"])
    server = await tunnel.start()
    yield tunnel, f"rediss://{user}:secret@127.0.0.1:{tunnel.port}/0?ssl_ca_certs={tmp_path / 'ca.pem'}"
    server.close()
    tunnel.cut()
    await plain.acl_deluser(user)
    await plain.aclose()


async def test_behind_tls_and_a_password_everything_is_heard_and_again_after_a_cut(tunnel: tuple[Tunnel, str]) -> None:
    through, url = tunnel
    async with process(url) as here:
        await here.open_gate()
        _, shelf = await here.watching()
        assert (await here.ping()).code == KEPT
        await here.told(State.TRAVELING)
        await until(lambda: "state" in shelf.kinds())
        snapshots = shelf.kinds().count("snapshot")
        through.cut()
        assert (await here.ping(lat=60.17)).code == KEPT  # the call finds the end of the line, and is made on another
        await until(lambda: shelf.kinds().count("snapshot") > snapshots)
        assert shelf.rising()


async def test_no_late_answer_meets_the_next_question(tunnel: tuple[Tunnel, str]) -> None:
    through, url = tunnel
    client = connect(url, timeout_s=1.5)
    assert isinstance(client, Redis)
    line, key = Line(client), token_hex(4)
    assert await line("SET", key, "first") == b"OK"

    through.mute = True
    with pytest.raises(RedisTimeoutError):
        await line("GET", key)
    through.mute = False
    assert await line("SET", key, "second") == b"OK"

    patient = asyncio.create_task(line("BLPOP", f"{key}:none", "0.1"))
    await until(lambda: through.asked(b"BLPOP"))
    patient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await patient
    assert await line("GET", key) == b"second"
    await line.close()
    await client.aclose()
