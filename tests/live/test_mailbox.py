"""What may leave a mailbox, and in which order."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tracker.domain.geo import Point
from tracker.live import frames
from tracker.live.frames import Frame
from tracker.live.mailbox import OWING_S, UNSEEN, Mailbox

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
POSITION = {"lat": 60.17012, "lon": 24.93911, "acc": 6, "fix_at": "2026-11-22T08:59:57Z", "contact_at": "2026-11-22T08:59:58Z"}
ETA = {"at": "2026-11-22T09:09:00Z", "low": "2026-11-22T09:08:00Z", "high": "2026-11-22T09:12:00Z", "basis": "road"}


def frame(offset: int, kind: str = "update", epoch: str = "e", leg: str = "l", **more: Any) -> Frame:
    said: dict[str, Any] = {"ep": epoch, "o": offset, "k": kind, **more}
    said |= {"leg": leg, "p": POSITION, "e": ETA} if kind == "update" else {"s": "in_progress", "at": "2026-11-22T09:00:00Z"}
    return Frame(frames.read(msgspec.json.encode(said)), NOW, 0.0)


def joined() -> Mailbox:
    box = Mailbox()
    box.join("e", 0, 0, "l", [])
    return box


def drained(box: Mailbox, now: float = 0.0) -> list[int]:
    left = []
    while (next_frame := box.take(now)) is not None:
        left.append(next_frame.offset)
    return left


def test_only_the_newest_update_waits() -> None:
    box = joined()
    for offset in range(1, 10):
        box.put(frame(offset))
    assert drained(box) == [9]


def test_two_updates_may_be_unseen_and_the_rest_are_merged_into_the_newest() -> None:
    box = joined()
    sent = []
    for offset in range(1, 300):
        box.put(frame(offset))
        sent += drained(box)
    assert sent == [1, 2]
    box.seen(1)
    assert drained(box) == [299]
    box.seen(299)
    assert drained(box) == []


def test_states_need_no_credit_and_are_never_skipped() -> None:
    box = joined()
    for offset in range(1, 4):
        box.put(frame(offset))
        drained(box)
    for offset in range(4, 40):
        box.put(frame(offset, "state"))
    assert drained(box) == list(range(4, 40))


def test_a_position_from_before_a_change_of_state_is_dropped() -> None:
    box = joined()
    for offset in (1, 2, 3):
        box.put(frame(offset))
        drained(box)
    box.put(frame(4, "state"))
    box.seen(2)
    assert drained(box) == [4]


def test_a_closing_drops_the_position_that_waits() -> None:
    box = joined()
    for offset in (1, 2, 3):
        box.put(frame(offset))
        drained(box)
    box.drop_position()
    box.seen(2)
    assert drained(box) == []


def test_who_owes_for_a_minute_is_owing() -> None:
    box = joined()
    box.put(frame(1))
    drained(box, now=10.0)
    assert not box.owing(10.0 + OWING_S - 1)
    assert box.owing(10.0 + OWING_S)
    box.seen(1)
    assert not box.owing(1e9)


def test_nothing_leaves_before_the_snapshot_and_then_only_what_is_news() -> None:
    box = Mailbox()
    box.put(frame(7, "state"))
    box.put(frame(8))
    assert drained(box) == []
    pending = box.pending("e", [frame(5, "state"), frame(7, "state")])
    assert [f.offset for f in pending] == [5, 7]
    box.join("e", 4, 6, "l", pending)
    assert drained(box) == [5, 7, 8]


def test_an_update_of_another_leg_is_never_news() -> None:
    for leg in ("other", None):
        box = Mailbox()
        box.put(frame(8))
        box.join("e", 4, 6, leg, [])
        assert drained(box) == []


def test_a_new_epoch_begins_with_fresh_credit_and_forgets_the_old() -> None:
    box = joined()
    box.put(frame(1))
    box.put(frame(2))
    drained(box)
    box.hold()
    box.put(frame(3, "state"))
    box.put(frame(1, epoch="new"))
    assert box.pending("new", []) == []
    box.join("new", 0, 0, "l", [])
    assert drained(box) == [1]


@given(st.lists(st.sampled_from(["update", "state", "seen", "hold", "look", "close", "take"]), max_size=60))
def test_offsets_rise_and_states_arrive_whatever_happens(deeds: list[str]) -> None:
    box, offset = joined(), 0
    states: list[int] = []
    left: list[int] = []
    seen = 0
    for deed in [*deeds, "look", "take"]:
        if deed in ("update", "state"):
            offset += 1
            box.put(frame(offset, deed))
            states += [offset] if deed == "state" else []
        elif deed == "seen":
            seen = left[-1] if left else 0
            box.seen(seen)
        elif deed == "hold":
            box.hold()
        elif deed == "look" and not box.joined:
            pending = box.pending("e", [])
            shown = min([offset, *(f.offset - 1 for f in pending[:1])])
            assert shown >= (left[-1] if left else 0)
            box.join("e", shown, offset, "l", pending)
        elif deed == "close":
            box.drop_position()
        elif deed == "take":
            left += drained(box)
        assert len([o for o in left if o > seen and o not in states]) <= UNSEEN
    assert left == sorted(set(left))
    assert [o for o in left if o in states] == states


# -- the bytes ---------------------------------------------------------------------------------------------------------


def test_the_long_form_is_that_of_the_protocol() -> None:
    text = frames.payload_of(frame(19).wire(None, 0.0))
    assert msgspec.json.decode(text) == {
        "type": "update",
        "now": "2026-11-22T09:00:00.000Z",
        "offset": 19,
        "position": POSITION,
        "eta": ETA,
    }


def test_the_short_form_says_the_same_in_a_third() -> None:
    text = frames.payload_of(frame(19).wire(Point(60.17, 24.94), 0.0))
    assert msgspec.json.decode(text) == [19, 12, -89, 6, None, None, 3, 2, 540, 60, 180]
    full = POSITION | {"course": 181.2, "speed": 8.3, "lat": 60.19123, "lon": 24.91234}
    moving = Frame(frames.read(msgspec.json.encode({"ep": "e", "o": 1234, "k": "update", "p": full, "e": ETA})), NOW, 0.0)
    text = frames.payload_of(moving.wire(Point(60.17, 24.94), 0.0))
    print(f"{len(text)} bytes: {text.decode()}")
    assert len(text) <= 45
    assert msgspec.json.decode(text) == [1234, 2123, -2766, 6, 181, 8, 3, 2, 540, 60, 180]


def test_a_frame_is_made_once_and_shared_but_not_after_it_waited() -> None:
    one = frame(19)
    assert one.wire(None, 0.0) is one.wire(None, 0.1)
    later = msgspec.json.decode(frames.payload_of(one.wire(None, 8.0)))
    assert later["now"] == "2026-11-22T09:00:08.000Z"


@given(st.integers(0, 70_000))
def test_a_text_frame_has_the_head_of_the_rfc(size: int) -> None:
    whole = frames.text_frame(b"x" * size)
    assert frames.payload_of(whole) == b"x" * size
    length = whole[1] if whole[1] < 126 else int.from_bytes(whole[2 : 4 if whole[1] == 126 else 10])
    assert (whole[0], length) == (0x81, size)


def test_ended_says_so() -> None:
    text = frames.payload_of(frame(21, "state", ended=True).wire(None, 0.0))
    assert msgspec.json.decode(text)["type"] == "ended"
