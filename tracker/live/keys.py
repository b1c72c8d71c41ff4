"""Names of keys and channels in Redis: everything of one technician carries one hash tag, so that one script may touch it."""

from functools import lru_cache
from secrets import token_hex
from zlib import crc32

BUCKETS = 64
"""Fixed for the life of an installation: it decides in which hash slot a technician's keys lie."""

CONTROL = "control"
"""Channel on which processes ask each other to close sockets and to drop what waits for a viewer."""

ROUTES_WANTED = "routes:wanted"
"""List of legs that need a route (JSON), answered by the worker."""


def bucket(technician: str) -> int:
    """The bucket of a technician: crc32 of the id modulo 64."""
    return crc32(technician.encode()) % BUCKETS


@lru_cache(maxsize=65_536)
def tag(technician: str) -> str:
    """The prefix of every key of a technician: ``{b07}:``."""
    return bucket_tag(bucket(technician))


def bucket_tag(number: int) -> str:
    """The prefix of every key of a bucket."""
    return f"{{b{number:02d}}}:"


ALL_TAGS = tuple(bucket_tag(number) for number in range(BUCKETS))


def visit_channel(technician: str, appointment: str) -> str:
    """Where the frames of one visit are published."""
    return f"{tag(technician)}v:{appointment}"


def staff_channel(number: int) -> str:
    """Where the changed technicians of one bucket are published: one message per kept batch."""
    return f"{bucket_tag(number)}staff"


def new_epoch() -> str:
    """An epoch for a visit that has none in Redis (yet, or any more)."""
    return token_hex(4)
