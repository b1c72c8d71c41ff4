"""Ports for servers that start in a moment, which nobody else on this machine is given meanwhile.

The system hands out a port that is free *now*: until a child has opened it, it may go to any other server, or to a client that
just connects, and what then answers at it is a stranger. So each process of the tests has a block of its own, below the range
that the system takes from, held by a locked file as long as it lives.
"""

import fcntl
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache

FIRST, SIZE, BLOCKS = 12_000, 400, 50
"""12,000 to 31,999; Linux hands out from 32,768 on, macOS and Windows from 49,152."""


def reserved_port() -> int:
    """A loopback port nobody listens on, and that is given to nobody else before all others of its block were."""
    for port in itertools.islice(_block(os.getpid()), SIZE):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("every port of this process' block is taken")


@cache
def _block(_process: int) -> Iterator[int]:
    """The ports of a block that no other process holds, round and round; a forked process gets its own."""
    for number in range(BLOCKS):
        path = os.path.join(tempfile.gettempdir(), f"technician-tracker-ports-{number}")
        try:
            held = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        except PermissionError:  # another user's
            continue
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(held)
            continue
        return itertools.cycle(range(FIRST + number * SIZE, FIRST + (number + 1) * SIZE))
    raise RuntimeError("too many test processes at once")
