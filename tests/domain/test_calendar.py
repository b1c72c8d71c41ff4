"""Calendar entries read back by a reader of the format: the right moment in every zone, the same entry after a move."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from tracker.domain.calendar import Entry, Method, calendar_file
from tracker.domain.geo import Point

NOW = datetime(2026, 11, 24, 12, 2, 17, 123456, tzinfo=UTC)
ARRIVAL = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
ENTRY = Entry(
    uid="5ec1e7000000a1b2@portal.example",
    sequence=0,
    title="Heat pump inspection",
    starts_at=ARRIVAL,
    ends_at=ARRIVAL + timedelta(hours=1),
    zone="Europe/Helsinki",
    address="Korkeavuorenkatu 24 B 3; door, second",
    place=Point(60.16617, 24.94617),
    words="Booking ID WP-7K3F-21.\nThe technician arrives at 14:00.",
    url="https://portal.example/appointments/5ec1e7000000a1b2/live",
)


def read(entry: Entry, method: Method = Method.PUBLISH) -> tuple[Calendar, Any]:
    parsed = Calendar.from_ical(calendar_file(entry, NOW, company="Waypoint", method=method))
    assert isinstance(parsed, Calendar)
    [event] = parsed.walk("VEVENT")
    return parsed, event


def test_the_entry_says_when_in_the_zone_of_the_address_and_describes_the_zone() -> None:
    text = calendar_file(ENTRY, NOW, company="Waypoint").decode()
    assert "DTSTART;TZID=Europe/Helsinki:20261130T140000\r\n" in text
    assert "DTSTAMP:20261124T120217Z\r\n" in text
    assert "BEGIN:VTIMEZONE\r\nTZID:Europe/Helsinki\r\n" in text
    assert "LOCATION:Korkeavuorenkatu 24 B 3\\; door\\, second\r\n" in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar, event = read(ENTRY)
    assert event["DTSTART"].dt == ARRIVAL
    assert event["DTEND"].dt == ARRIVAL + timedelta(hours=1)
    assert str(event["DESCRIPTION"]) == ENTRY.words
    [zone] = calendar.walk("VTIMEZONE")
    described = zone.to_tz()
    assert datetime(2026, 11, 30, 14, tzinfo=described).utcoffset() == timedelta(hours=2)
    assert datetime(2027, 7, 1, 14, tzinfo=described).utcoffset() == timedelta(hours=3)


def test_a_move_and_a_cancellation_are_the_same_entry_with_a_higher_sequence() -> None:
    moved = replace(ENTRY, sequence=1, starts_at=ARRIVAL + timedelta(days=1), ends_at=ARRIVAL + timedelta(days=1, hours=1))
    canceled = replace(moved, sequence=2, canceled=True)
    events = [read(ENTRY)[1], read(moved)[1], read(canceled, Method.CANCEL)[1]]
    assert len({str(event["UID"]) for event in events}) == 1
    assert [event["SEQUENCE"] for event in events] == [0, 1, 2]
    assert [str(event["STATUS"]) for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert read(canceled, Method.CANCEL)[0]["METHOD"] == "CANCEL"


@pytest.mark.parametrize(
    "zone", ["Europe/Helsinki", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_every_quarter_hour_round_a_change_of_clocks_is_the_right_moment(zone: str) -> None:
    """Also the repeated hour, whose second turn no wall time can say."""
    known, at = ZoneInfo(zone), datetime(2026, 3, 1, tzinfo=UTC)
    before, checked = at.astimezone(known).utcoffset(), 0
    while at < datetime(2027, 3, 1, tzinfo=UTC):
        after = (at + timedelta(hours=1)).astimezone(known).utcoffset()
        if after != before:
            for quarter in range(-12, 16):
                starts = at + timedelta(minutes=15 * quarter)
                ends = starts + timedelta(hours=1)
                _, event = read(replace(ENTRY, zone=zone, starts_at=starts, ends_at=ends))
                # in UTC: Python calls no time of a repeated hour equal to one of another zone
                assert (event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)) == (starts, ends)
                checked += 1
        before, at = after, at + timedelta(hours=1)
    assert checked == (0 if zone == "Asia/Kathmandu" else 56)


@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Africa/El_Aaiun", "Europe/Dublin"])
def test_a_reader_who_goes_by_the_files_own_description_of_the_zone_has_the_right_moment(zone: str) -> None:
    """Morocco turns its clocks back for Ramadan only: two changes within five weeks."""
    for week in range(120):
        starts = datetime(2026, 1, 5, 11, tzinfo=UTC) + timedelta(weeks=week)
        calendar, event = read(replace(ENTRY, zone=zone, starts_at=starts, ends_at=starts + timedelta(hours=1)))
        own = [each.to_tz(lookup_tzid=False) for each in calendar.timezones] or [UTC]
        said = [event[name].dt.replace(tzinfo=own[0]).astimezone(UTC) for name in ("DTSTART", "DTEND")]
        assert said == [starts, starts + timedelta(hours=1)]
