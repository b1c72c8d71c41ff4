"""A hundred thousand guesses of a link's token: none right, one answer for all, throttled, no memory used up (M8)."""

import asyncio
import json
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.bounded import report, rounds
from tests.faults.site import Site, site
from tracker.actions.people.links import TRIES_ADDRESS
from tracker.domain import links as rules
from tracker.domain.links import Kind
from tracker.records import links
from tracker.records.database import new_id
from tracker.records.links import Link

ADDRESSES, GUESSES, AT_ONCE = 800, 125, 4
"""So many network addresses try so often each, so many of them at once: 100,000 guesses."""
COOKIES = 10
"""Guesses that each address shows as a cookie on the visit's page besides."""
MOST_GROWTH_MB = 40


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough for guesses."""
    return sqlite_url


@pytest.fixture
async def place(tmp_path: Path, database_url: str, redis_url: str) -> AsyncIterator[Site]:
    async with site(database_url, redis_url, tmp_path) as made:
        await made.start()
        yield made


async def a_link(place: Site, visit: str, **more: datetime) -> tuple[str, str]:
    """A letter's link: its id and its token, as this deployment makes it."""
    row = Link(id=new_id(), appointment_id=visit, kind=Kind.LETTER, created_by="letter", created_at=datetime.now(UTC), **more)
    secret = (place.machine.data / "secret").read_bytes().strip()
    token = rules.token_of(secret, row.id)
    async with place.db.transaction() as tx:
        await links.add(tx, row, rules.fingerprint(secret, token))
    return row.id, token


def guesses(known: str, ended: str, id: str) -> Iterator[str]:
    """Pure chance, and whatever somebody would try who knows an old link, the form of a token, or a row's id."""
    while True:
        at = secrets.randbelow(len(known))
        yield known[:at] + secrets.choice("".join({*"Aa0_-"} - {known[at]})) + known[at + 1 :]
        yield from (ended, known[:-1], known + "A", known.swapcase(), id, secrets.token_hex(32))
        for _ in range(33):
            yield secrets.token_urlsafe(32)


class Guesser:
    """One network address with one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: str) -> None:
        self._reader, self._writer, self._origin = reader, writer, origin

    @classmethod
    async def at(cls, place: Site, number: int) -> "Guesser":
        port = int(place.machine.url.rpartition(":")[2])
        address = f"127.{1 + number // 250}.0.{1 + number % 250}"
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)), place.machine.url)

    async def opens(self, token: str) -> bytes:
        """The whole answer to a token, but for its date and id."""
        body = json.dumps({"token": token}).encode()
        return await self._said(f"POST /api/v1/links/open HTTP/1.1\r\nContent-Length: {len(body)}\r\n", body)

    async def looks(self, visit: str, token: str) -> bytes:
        """The same of a cookie on the visit's page."""
        return await self._said(f"GET /api/v1/appointments/{visit}/live HTTP/1.1\r\nCookie: tt-v-{visit}={token}\r\n", b"")

    async def _said(self, head: str, body: bytes) -> bytes:
        about = f"Host: {self._origin[7:]}\r\nOrigin: {self._origin}\r\nContent-Type: application/json\r\n\r\n"
        self._writer.write((head + about).encode() + body)
        headers = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", headers, re.IGNORECASE)
        assert length, headers
        said = await self._reader.readexactly(int(length[1]))
        return re.sub(rb"(?im)^(date|x-request-id): .*\r\n", b"", headers) + said

    def close(self) -> None:
        self._writer.close()


def size_mb(place: Site) -> float:
    """What the web process holds in memory."""
    assert place.web is not None
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{place.web.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


@pytest.mark.faults
async def test_a_hundred_thousand_guesses_open_nothing(place: Site) -> None:
    visit = await place.world.appointment(arrival_at=datetime.now(UTC))
    id, known = await a_link(place, visit)
    _, ended = await a_link(place, visit, ended_at=datetime.now(UTC))
    answers: Counter[bytes] = Counter()
    cookies: Counter[bytes] = Counter()
    early: dict[str, int] = {"sooner": 0}
    numbers, tries = iter(rounds(ADDRESSES)), guesses(known, ended, id)
    sizes: list[float] = []

    async def guess() -> None:
        for number in numbers:
            with closing(await Guesser.at(place, number)) as one:
                for tried in range(GUESSES):
                    said = await one.opens(next(tries))
                    answers[said] += 1
                    early["sooner"] += (b" 429 " in said[:20]) is not (tried >= TRIES_ADDRESS)
                for _ in range(COOKIES):
                    cookies[await one.looks(visit, next(tries))] += 1
            if number % 20 == 0:
                sizes.append(size_mb(place))

    await asyncio.gather(*(guess() for _ in range(AT_ONCE)))
    with closing(await Guesser.at(place, ADDRESSES)) as other, closing(await Guesser.at(place, ADDRESSES + 1)) as throttled:
        right = await other.opens(known)
        for _ in range(TRIES_ADDRESS):
            await throttled.opens(ended)
        refused = await throttled.opens(known)
    assert b" 200 " in right[:20], right
    codes = Counter({said[9:12].decode(): 0 for said in answers})
    for said, count in answers.items():
        codes[said[9:12].decode()] += count
    made, written, warm = answers.total(), place.said(), sizes[len(sizes) // 10]
    report(
        "guesses of a link's token",
        "SQLite",
        made,
        ADDRESSES * GUESSES,
        {
            "answered": dict(codes),
            "cookies": f"{cookies.total():,}",
            "memory": f"{warm:.0f} MB after a tenth, {max(sizes):.0f} MB at most",
        },
        {
            "right": sum(count for code, count in codes.items() if code not in ("404", "429")),
            "kinds of answers too many": len(answers) - 2 + len(cookies) - 1,
            "throttled too soon or too late": early["sooner"],
            "throttled ones let in": b" 429 " not in refused[:20],
            "grew": max(sizes) - warm > MOST_GROWTH_MB,
            "tokens in the log": written.count(known) + written.count(ended),
            "tracebacks": written.count("Traceback"),
        },
    )
