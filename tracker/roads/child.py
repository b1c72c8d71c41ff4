"""A child process that cannot outlive its parent, and a free port for it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

_DIE_WITH_PARENT = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(sys.argv[2]))
if os.getppid() != int(sys.argv[1]):
    sys.exit(0)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Asks the kernel for a signal at the parent's end (PR_SET_PDEATHSIG), then becomes the program: the wish survives exec.
Done here and not in a function between fork and exec, which is not safe in a process with threads. The parent is compared
afterwards, as it may have ended before the wish was made."""


def bound(command: list[str], sign: signal.Signals = signal.SIGKILL) -> list[str]:
    """The command as a child of this process that is sent ``sign`` when this process ends, however it ends (on Linux)."""
    return [sys.executable, "-S", "-E", "-c", _DIE_WITH_PARENT, str(os.getpid()), str(int(sign)), *command]


async def start_child(command: list[str], folder: Path) -> asyncio.subprocess.Process:
    """Start a program in a folder, silent. On Linux it dies with this process (strictly: with the calling thread)."""
    return await asyncio.create_subprocess_exec(
        *bound(command),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def end_child(child: asyncio.subprocess.Process | None) -> None:
    """Kill it and wait for its end; one that has ended already is fine."""
    if child is None:
        return
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    await child.wait()


def free_port() -> int:
    """A loopback port nobody listens on now. Somebody may be quicker: then the child ends, and is started anew."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
