"""Counters of tries: shared by processes through Redis, kept in memory while it is away, never in clear."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracker.live import limits
from tracker.live.connect import connect
from tracker.live.limits import Limits

NOW = datetime(2026, 11, 24, 12, 2, tzinfo=UTC)


async def tries(counter: Limits, key: str, times: int, now: datetime = NOW) -> list[bool]:
    return [await counter.within("sign-in", key, 3, 60, now) for _ in range(times)]


async def test_processes_count_together_and_a_window_ends(either_redis_url: str) -> None:
    one, other = connect(either_redis_url), connect(either_redis_url)
    assert await tries(Limits(one), "anna@example.org", 2) == [True, True]
    assert await tries(Limits(other), "anna@example.org", 2) == [True, False]
    assert await tries(Limits(other), "eve@example.org", 1) == [True]
    names = await one.keys("*")
    assert all([0 < await one.ttl(name) <= 60 for name in names])  # without an end somebody is locked out for good
    assert b"anna" not in b"".join(names)
    await one.pexpire(names[0], 0)
    await one.pexpire(names[1], 0)
    assert await tries(Limits(one), "anna@example.org", 4) == [True, True, True, False]
    await Limits(other).forget("sign-in", "anna@example.org")
    assert await tries(Limits(one), "anna@example.org", 1) == [True]
    assert await tries(Limits(one), "eve@example.org", 3) == [True, True, True]
    await one.aclose()
    await other.aclose()


async def test_without_redis_the_process_counts_alone(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path}/nobody")
    for counter in (Limits(client), Limits(None)):
        assert await tries(counter, "anna@example.org", 4) == [True, True, True, False]
        assert await tries(counter, "anna@example.org", 1, NOW + timedelta(seconds=60)) == [True]
        await counter.forget("sign-in", "anna@example.org")
        assert await tries(counter, "anna@example.org", 3) == [True, True, True]
    await client.aclose()


async def test_a_flood_of_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KEYS", 10)
    counter = Limits(None)
    for number in range(100):
        await counter.within("sign-in", str(number), 3, 60, NOW)
    assert len(counter._counts) == 10
