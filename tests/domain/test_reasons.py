"""Why a technician was chosen, as staff read it (B6)."""

from typing import Any

import pytest

from tracker.domain.reasons import why_chosen


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"m": 4180, "next_m": 6020, "source": "road"}, "4.2 km; next best 6.0 km"),
        ({"m": 4180, "next_m": 4180, "source": "road"}, "4.2 km; next best 4.2 km"),
        ({"m": 900, "next_m": None, "source": "road"}, "0.9 km; nobody else could come"),
        ({"m": 4180, "next_m": 6020, "source": "distance"}, "4.2 km; next best 6.0 km (estimated from the distance)"),
        ({"m": 4180, "next_m": 3000, "source": "road"}, "4.2 km; the technician of before, the nearest was 3.0 km away"),
        ({"m": 4180, "next_m": None, "source": "road", "by": "staff"}, "4.2 km; chosen by staff"),
        (None, None),
    ],
)
def test_the_distance_and_that_of_the_next_best(chosen: dict[str, Any] | None, words: str | None) -> None:
    assert why_chosen(chosen) == words
