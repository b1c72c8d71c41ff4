"""The bookkeeping of acknowledged pings equals a plain set of numbers, however they come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.dealt import MOST_RANGES, Dealt


@given(st.integers(0, 20), st.lists(st.one_of(st.integers(0, 60), st.tuples(st.integers(0, 60))), max_size=80))
def test_as_a_set(start: int, script: list[int | tuple[int]]) -> None:
    dealt, model = Dealt(start), set(range(start + 1))
    for what in script:
        if isinstance(what, tuple):
            dealt.advance(what[0])
            model |= set(range(what[0] + 1))
        else:
            dealt.add(what)
            model.add(what)
        assert {n for n in range(80) if n in dealt} == model
        assert dealt.upto + 1 not in model
        assert Dealt.read(dealt.text()).text() == dealt.text()


def test_a_copy_is_its_own() -> None:
    first = Dealt(3, [(7, 8)])
    second = first.copy()
    second.add(6)
    second.add(4)
    assert (first.text(), second.text()) == ("3;7-8", "4;6-8")


def test_a_broken_phone_costs_no_memory() -> None:
    dealt = Dealt(0)
    for seq in range(2, 10_000, 2):
        dealt.add(seq)
    assert len(dealt.text().split(",")) == MOST_RANGES
    assert 9_998 in dealt
    assert dealt.upto == 0


@pytest.mark.parametrize("text", ["", "x", "4;5", "4;5-", "4;5-6-7"])
def test_what_it_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Dealt.read(text)
