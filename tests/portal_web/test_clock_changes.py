"""The days when the clocks change, on booking pages, in letter and calendar: no hour is lost, doubled or misnamed."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from tests.portal_web.customers import Household, furnish
from tests.portal_web.living import living
from tests.portal_web.tabs import tab_of
from tests.world import Clock
from tracker.actions.letters import composing
from tracker.records import outbox


@pytest.fixture
async def home(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Household]:
    async with living(sqlite_url, redis_url, tmp_path) as town:
        yield await furnish(town)


@pytest.mark.parametrize(
    ("day", "hours", "zone"),
    [
        ("2027-03-28", {"02": 2, "04": 2}, "EET, UTC+2, then EEST, UTC+3"),
        ("2027-10-31", {"02": 2, "03 EEST": 2, "03 EET": 2, "04": 2}, "EEST, UTC+3, then EET, UTC+2"),
    ],
)
async def test_on_the_days_when_the_clocks_change_all_that_is_offered_is_named_right_and_can_be_booked(
    home: Household, day: str, hours: dict[str, int], zone: str
) -> None:
    """Page, letter and calendar say the same moment; what is booked in the hour that is there twice is there once."""
    change = datetime.fromisoformat(f"{day}T12:00Z")
    home.town.house.clock = Clock(change - timedelta(days=3))
    anna = await tab_of(home.town, home.town.world.customer)
    page = await (await anna.get("/book")).press("show", asset=home.pump, service=home.inspection)
    assert "Helsinki time (E" in page.text
    page = await page.press("to_day", day)
    assert f"in Helsinki time ({zone})." in page.text
    shown = dict(re.findall(r'id="at-([^"]+)"[^>]*><time[^>]*>([^<]+)</time>', page.answer.text))
    night = Counter(f"{said[:2]}{said[5:]}" for said in shown.values() if "02" <= said[:2] < "05")
    assert night == hours
    at = next(at for at, said in shown.items() if said.startswith("03:30 EET" if day == "2027-10-31" else "04:00"))
    page = await (await page.press("to_at", at)).press("book")
    local = datetime.fromisoformat(at).astimezone(ZoneInfo("Europe/Helsinki"))
    [booked] = await home.all_booked()
    assert booked.arrival_at == local.astimezone(UTC)
    words = f"Helsinki time ({local:%Z}, UTC+{local.utcoffset() // timedelta(hours=1)})"  # type: ignore[operator]
    assert words in page.text
    async with home.town.house.db.reading() as tx:
        [letter] = [one for one in await outbox.latest(tx) if one.kind == "confirmation"]
    composed = await composing.compose(home.town.house, letter, home.town.url, home.town.house.clock())
    assert composed is not None
    assert words in composed.words.preview
    answer = await home.town.client.get(f"/appointments/{booked.id}/calendar.ics", headers={"Cookie": f"tt={anna.token}"})
    [entry] = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (entry["dtstart"].dt, entry["dtend"].dt) == (booked.arrival_at, booked.ends_at)
    page = await (await anna.get("/book")).press("show", asset=home.pump, service=home.inspection)
    page = await page.press("to_day", day)
    left = dict(re.findall(r'id="at-([^"]+)"[^>]*><time[^>]*>([^<]+)</time>', page.answer.text))
    assert left.items() <= shown.items()  # the other half of the hour is still said with its offset
    assert at not in left
    for one in list(left)[::7]:  # what is offered is given
        assert "Held for you" in (await page.press("to_at", one)).text
