"""Our own phones' protocol (`/ws/technician`): what they say, read strictly, and the words they are answered with."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, field

from tracker.domain.appointments import State
from tracker.domain.appointments import Step as StepName
from tracker.domain.pings import Ping

SMALL_BYTES, PINGS_BYTES, MOST_PINGS = 4_096, 65_536, 200
"""The largest frame, the largest `pings` frame, and the most pings in one."""

type Seq = Annotated[int, Meta(ge=0, lt=2**53)]
type Id = Annotated[str, Meta(min_length=1, max_length=64)]
type Moment = Annotated[datetime, Meta(tz=True)]


class Hello(Struct, tag_field="type", tag="hello", frozen=True):
    """The first frame. ``token``: a device's; absent for a signed-in browser. ``first``: the oldest seq still held."""

    boot: Id
    first: Seq
    token: Annotated[str, Meta(max_length=256)] | None = None
    device: Annotated[str, Meta(max_length=64)] = ""


class Said(Struct):
    """One ping as sent: metres, m/s, degrees clockwise from north, battery 0–1."""

    seq: Seq
    at: Moment
    lat: float
    lon: float
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None


class Pings(Struct, tag_field="type", tag="pings"):
    """Pings; ``sent`` is the phone's clock when it wrote the frame."""

    pings: Annotated[list[Said], Meta(max_length=MOST_PINGS)]
    sent: Moment | None = None


class Step(Struct, tag_field="type", tag="step", frozen=True):
    """A button pressed at ``at``, seeing the appointment in state ``seen``; the same id again is the same step.

    ``reason``: why it could not be done (needed for that step only). ``switch``: the technician was asked, and leaves
    another visit under way for this one.
    """

    id: Id
    appointment: Id
    step: StepName
    seen: State = field(name="from")
    at: Moment
    reason: Annotated[str, Meta(max_length=2_000)] | None = None
    switch: bool = False


class Sharing(Struct, tag_field="type", tag="sharing", frozen=True):
    """Pause sharing, or go on."""

    id: Id
    on: bool
    reason: Annotated[str, Meta(max_length=500)] | None = None


type Frame = Hello | Pings | Step | Sharing

_decode: Callable[[str], Frame] = msgspec.json.Decoder(Hello | Pings | Step | Sharing).decode
_decode_pings = msgspec.json.Decoder(Pings).decode
_encode = msgspec.json.Encoder().encode


def read(text: str) -> Frame:
    """A frame; ValueError with a sentence for anything else (NaN, infinite depth, lone surrogates, missing fields)."""
    try:
        return _decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error


def pings(payload: bytes) -> Pings | None:
    """The frame that phones mostly send; None for anything else, which `read` may understand or refuse."""
    try:
        return _decode_pings(payload)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def as_ping(said: Said, at: datetime) -> Ping:
    """The ping, with its fix time as corrected. A value that cannot be (accuracy −1, course 720) counts as not said."""
    return Ping(
        at=at,
        lat=said.lat,
        lon=said.lon,
        acc=_within(said.acc, 1e6),
        speed=_within(said.speed, 1e4),
        course=_within(said.course, 360.0),
        battery=_within(said.battery, 1.0),
        seq=said.seq,
    )


def utc(moment: datetime) -> datetime:
    """In UTC; a date so near the calendar's ends that its zone leads beyond them becomes that end (a rule refuses it)."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year < 5_000 else datetime.max.replace(tzinfo=UTC)


def _within(value: float | None, most: float) -> float | None:
    return value if value is not None and 0 <= value <= most else None


# -- answers -----------------------------------------------------------------------------------------------------------


class Policy(Struct, frozen=True):
    """What the phone is asked to do: how often to speak, whether it is shared, and for which appointment it travels."""

    interval_s: int
    sharing: bool
    appointment: str | None


class Welcome(Struct, tag_field="type", tag="welcome", frozen=True):
    """The answer to `hello`. ``acked``: every seq of this boot up to it has been dealt with."""

    technician: str
    acked: int
    now: datetime
    policy: Policy


class Refused(Struct, frozen=True):
    """A ping that a rule refused (docs/phones.md); it is dealt with all the same."""

    seq: int
    rule: str


class Ack(Struct, tag_field="type", tag="ack", frozen=True):
    """Every seq up to ``seq``, and those of ``also``, have been dealt with and need not be sent again."""

    seq: int
    also: list[int] = []
    refused: list[Refused] = []


class NewPolicy(Policy, tag_field="type", tag="policy", frozen=True):
    """A policy that changed."""


class Suggestion(Struct, tag_field="type", tag="suggest", frozen=True):
    """The phone was noticed at the address: offer this step to the technician (null: it drove on, offer it no more). Said after a
    `welcome`, too, while it stands; the technician decides."""

    appointment: str
    step: Literal["arrive"] | None


class Stepped(Struct, tag_field="type", tag="stepped", frozen=True):
    """The step was taken, now or when it came before. ``state``: as it stands afterwards."""

    id: str
    appointment: str
    state: State


class Trouble(Struct, tag_field="type", tag="error", frozen=True, omit_defaults=True):
    """Something was refused. ``id`` says what, if it had one; ``code`` is for programs, ``message`` for people."""

    code: str
    message: str
    id: str | None = None


def welcome(technician: str, acked: int, now: datetime, policy: Policy) -> str:
    """The answer to `hello`."""
    return _encode(Welcome(technician, acked, now, policy)).decode()


def ack(seq: int, also: Sequence[int] = (), refused: Iterable[tuple[int, str]] = ()) -> str:
    """Everything up to ``seq`` and those of ``also`` need not be sent again."""
    if not also and not refused:
        return f'{{"type":"ack","seq":{seq}}}'
    return _encode(Ack(seq, list(also), [Refused(*each) for each in refused])).decode()


def policy(said: Policy) -> str:
    """A policy that changed."""
    return _encode(NewPolicy(said.interval_s, said.sharing, said.appointment)).decode()


def suggestion(appointment: str, *, stands: bool) -> str:
    """*Arrived* is suggested, or is so no more."""
    return _encode(Suggestion(appointment, "arrive" if stands else None)).decode()


def stepped(step: Step, state: State) -> str:
    """The step was taken (now, or when it came before)."""
    return _encode(Stepped(step.id, step.appointment, state)).decode()


def error(code: str, message: str, id: str | None = None) -> str:
    """Something was refused; ``id`` says what, if it had one."""
    return _encode(Trouble(code, message, id)).decode()
