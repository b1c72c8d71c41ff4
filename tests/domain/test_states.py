"""The states' table itself, and the page that is made from it."""

from tests.domain.states import PAGE, page
from tracker.domain.appointments import MOVES, STAFF, Role, State, Step


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.domain.states`"


def test_nothing_leaves_canceled_and_everything_else_can_end() -> None:
    assert not [state for state, _ in MOVES if state is State.CANCELED]
    reachable = {State.SCHEDULED}
    while more := {move.to for (state, _), move in MOVES.items() if state in reachable} - reachable:
        reachable |= more
    assert reachable == set(State)


def test_a_customer_only_cancels_and_never_what_has_begun() -> None:
    theirs = {(state, step) for (state, step), move in MOVES.items() if Role.CUSTOMER in move.roles}
    assert theirs == {(State.SCHEDULED, Step.CANCEL), (State.TRAVELING, Step.CANCEL)}


def test_staff_may_take_every_step_and_strangers_none() -> None:
    for move in MOVES.values():
        assert move.roles >= STAFF
        assert not move.roles & {Role.ANONYMOUS, Role.LINK_HOLDER}
