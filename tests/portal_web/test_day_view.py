"""The company's day: what needs attention, how grave it is, and that each appointment stands in one list."""

from dataclasses import replace
from datetime import timedelta

import pytest

from portal_web.day_view import Line, arranged, line_of
from portal_web.facts import Visit
from portal_web.trip import Arrival, Trip
from tests.portal_web.scenes import (
    CANCELED,
    COMPLETED,
    ETA,
    HIDDEN,
    IN_PROGRESS,
    LIVE,
    LOST,
    NOW,
    SCHEDULED,
    STALE,
    TRAVELING,
    at,
)

LATER = replace(SCHEDULED, arrival_at=at("15:30"), ends_at=at("16:30"))
ON_TIME = replace(LIVE, eta=Arrival(at("13:58"), at("14:04"), "road"))


def line(visit: Visit, trip: Trip | None = None, flag: str | None = None) -> Line:
    return line_of(visit, trip, NOW, "Kokeilu", "Aino Esimerkki", flag)


@pytest.mark.parametrize(
    ("one", "tag"),
    [
        (line(TRAVELING, ON_TIME), None),
        (line(TRAVELING, replace(LIVE, eta=Arrival(at("14:06"), at("14:12"), "road"))), "+6 to 12 min"),
        (line(TRAVELING, replace(LIVE, eta=replace(ETA, low=at("14:02"), high=at("14:14")))), "up to +14 min"),
        (line(TRAVELING, replace(STALE, eta=Arrival(at("13:50"), at("13:58"), "road"))), "stale"),
        (line(TRAVELING, LOST), "lost"),
        (line(TRAVELING, HIDDEN), None),
        (line(TRAVELING, HIDDEN, flag="map_closed"), "map closed"),
        (line(replace(SCHEDULED, arrival_at=NOW - timedelta(minutes=4))), None),
        (line(replace(SCHEDULED, arrival_at=NOW - timedelta(minutes=9))), "9 min late"),
        (line(replace(LATER, technician=None)), "unassigned"),
        (line(LATER, flag="travel"), "too tight"),
        (line(LATER), None),
        (line(IN_PROGRESS), None),
        (line(replace(IN_PROGRESS, ends_at=at("13:45"))), "17 min over"),
        (line(COMPLETED), None),
        (line(replace(CANCELED, technician=None), flag="late"), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_needs_attention_is_named_by_how_much(one: Line, tag: str | None) -> None:
    assert (one.trouble.tag if one.trouble else None) == tag


def test_the_gravest_stands_first_and_nothing_twice() -> None:
    overdue = line(replace(SCHEDULED, id="overdue", arrival_at=NOW - timedelta(minutes=9)))
    nobody = line(replace(LATER, id="nobody", technician=None))
    lost = line(replace(TRAVELING, id="lost"), LOST)
    calm = [
        line(replace(visit, id=name), trip)
        for name, visit, trip in (
            ("later", LATER, None),
            ("way", TRAVELING, ON_TIME),
            ("work", IN_PROGRESS, None),
            ("done", COMPLETED, None),
        )
    ]
    day = arranged([*calm, nobody, lost, overdue])
    assert [each.visit.id for each in day.attention] == ["overdue", "lost", "nobody"]
    assert [(key, [each.visit.id for each in lines]) for key, _, lines in day.groups] == [
        ("way", ["way"]),
        ("work", ["work"]),
        ("next", ["later"]),
    ]
    assert [each.visit.id for each in day.over] == ["done"]


def test_nobody_at_work_makes_no_empty_lists() -> None:
    assert arranged([line(COMPLETED)]).groups == ()
