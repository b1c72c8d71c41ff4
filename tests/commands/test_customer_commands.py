"""From an empty database to a redeemed invitation by commands alone (O1–O4, X8)."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from tests.commands.test_commands import done, refused
from tests.world import settle
from tracker.domain.links import Kind
from tracker.records import links, surveys
from tracker.records.database import Database, new_id
from tracker.records.links import Link
from tracker.records.surveys import Survey

HERE = ["--address", "Korkeavuorenkatu 24, Helsinki", "--at", "60.1651", "24.9463"]


def first_line(said: str) -> str:
    return said.splitlines()[0]


def test_a_customer_with_everything_that_belongs_to_it(tracker: CliRunner) -> None:
    account = first_line(done(tracker, "account", "add", "Kokeilu Oy", *HERE))
    assert "Europe/Helsinki" in done(tracker, "account", "list", "kokeilu")
    assert "which address" in refused(tracker, "account", "add", "X", "--address", "Nowhere 1").lower()
    contact = first_line(said := done(tracker, "contact", "add", account, "Kaisa@Example.org", "--name", "Kaisa"))
    assert "An invitation was written" in said
    refused(tracker, "contact", "add", account, "kaisa@example.org", "--name", "Kaisa")
    barn = done(tracker, "location", "add", account, "Barn", *HERE).strip()
    pump = done(tracker, "asset", "add", account, "Heat pump", "--location", barn, "--serial", "42").strip()
    shown = done(tracker, "account", "show", account)
    for part in (contact, "not signed in yet", f"{barn} Barn", f"{pump} Heat pump at {barn}"):
        assert part in shown
    done(tracker, "asset", "retire", pump)
    done(tracker, "account", "change", account, "--inactive")
    assert "out of use" in (shown := done(tracker, "account", "show", account))
    assert "(inactive)" in shown
    done(tracker, "contact", "remove", contact)
    refused(tracker, "contact", "remove", contact)
    refused(tracker, "account", "show", "0" * 16)


def test_letters_are_printed_with_their_codes_and_a_further_invitation_shows_its_own(tracker: CliRunner) -> None:
    account = first_line(done(tracker, "account", "add", "Kokeilu Oy", *HERE))
    contact = first_line(done(tracker, "contact", "add", account, "kaisa@example.org", "--name", "Kaisa"))
    printed = done(tracker, "letters")
    code = r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}"
    assert "To: kaisa@example.org" in printed
    link = re.search(rf"http://localhost:8000/redeem#({code})", printed)
    assert link
    assert f"Create your account with this code\n\n    {link[1]}\n" in printed
    id = re.search(r"--- ([0-9a-f]{16}) invitation, .*, due ", printed)
    assert id
    for filters, found in (
        (("--kind", "invitation", "--recipient", "Kaisa@example.org", "--state", "waiting"), True),
        (("--kind", "reset"), False),
        (("--recipient", "kai@example.org"), False),
        (("--state", "sent"), False),
        (("--appointment", "0" * 16), False),
    ):
        assert (id[1] in done(tracker, "letters", *filters)) is found, filters
    done(tracker, "letters", "--again", id[1])
    refused(tracker, "letters", "--again", "0" * 16)
    given = done(tracker, "invite", contact)
    further = re.search(rf"Code \(shown this once\): +({code})", given)
    assert further
    assert further[1] != link[1]
    assert f"/redeem#{further[1]}" in given


def test_api_tokens_are_made_listed_and_revoked(tracker: CliRunner) -> None:
    made = done(tracker, "token", "add", "the office", "--scope", "accounts:read", "--scope", "appointments:read", "--days", "7")
    token, secret = (line.split()[-1] for line in made.splitlines()[:2])
    assert secret.startswith("tta_")
    listed = done(tracker, "token", "list")
    assert f"{token} the office: appointments:read, accounts:read" in listed
    assert "never used" in listed
    assert secret not in listed
    done(tracker, "token", "revoke", token)
    assert "revoked" in done(tracker, "token", "list")
    refused(tracker, "token", "revoke", token)


def test_what_customers_said_is_printed_closed_until_it_is_opened(tracker: CliRunner, tmp_path: Path) -> None:
    assert done(tracker, "surveys") == ""
    asyncio.run(said(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'tracker.sqlite'}"))
    assert "4 Good   Heat pump service\n    (not read yet" in (closed := done(tracker, "surveys"))
    assert "On time" not in closed
    assert "    On time.\n    Thanks\n1 in 31 days, 4.00 of 5 on average." in done(tracker, "surveys", "--read")
    assert "On time" in done(tracker, "surveys")


async def said(url: str) -> None:
    """A rated visit, put there directly."""
    db, now = Database(url), datetime.now(UTC)
    visit = await (await settle(db, now)).appointment()
    rated = Survey(
        appointment_id=visit, stars=4, comment="On time.\nThanks", answered_by="customer:x", answered_at=now, changed_at=now
    )
    async with db.transaction() as tx:
        await surveys.keep(tx, rated)
    await db.close()


def test_links_are_listed_extended_blocked_and_ended_by_hand(tracker: CliRunner, tmp_path: Path) -> None:
    visit, link = asyncio.run(linked(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'tracker.sqlite'}"))
    assert done(tracker, "link", "list", visit).startswith(f"{link}  letter  until ")
    then = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}"
    assert f"until {then}" in done(tracker, "link", "extend", link, "300")
    assert f"{link}  letter  blocked  opened 0 times" in done(tracker, "link", "block", link)
    assert f"until {then}" in done(tracker, "link", "block", link, "--off")
    assert done(tracker, "link", "end", link) == ""
    assert f"{link}  letter  ended" in done(tracker, "link", "list", visit)
    for again in (("end", link), ("block", link), ("extend", link, "3"), ("list", "0" * 16), ("end", "0" * 16)):
        refused(tracker, "link", *again)


async def linked(url: str) -> tuple[str, str]:
    """A visit and the link to it in a letter, put there directly."""
    db, now, link = Database(url), datetime.now(UTC), new_id()
    visit = await (await settle(db, now)).appointment(arrival_at=now)
    async with db.transaction() as tx:
        row = Link(id=link, appointment_id=visit, kind=Kind.LETTER, created_by="letter", created_at=now)
        await links.add(tx, row, b"x" * 32)
    await db.close()
    return visit, link
