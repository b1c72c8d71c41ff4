"""JSON doors for the log of letters: which were written, what became of them, their words, and sending one again (N6, X8)."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.letters import letter_log
from tracker.domain.appointments import STAFF
from tracker.domain.emails import LONGEST
from tracker.domain.letter_kinds import Kind
from tracker.domain.letter_states import LetterState
from tracker.errors import BadInput
from tracker.records.outbox import Letter, Wanted
from tracker.web.bodies import asked, json_answer, key_of
from tracker.web.catalog_answers import Id
from tracker.web.guard import actor_of, guard_of, house_of
from tracker.web.openapi import Operation

PAGE = 100
"""Letters in one answer."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MARK = re.compile(r"([0-9]{1,17})-([0-9a-f]{1,32})")


class LettersQuery(msgspec.Struct):
    """Which letters: about an appointment, to an address, of a kind, in a state; ``after`` continues a list."""

    appointment: Id | None = None
    recipient: Annotated[str, msgspec.Meta(max_length=LONGEST)] | None = None
    kind: Kind | None = None
    state: LetterState | None = None
    after: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class LetterAnswer(msgspec.Struct, kw_only=True):
    """A letter. ``due_at``: not before then; ``last_error``: a mail server's code, or what kind of failure it was."""

    id: str
    kind: str
    state: LetterState
    recipient: str
    appointment: str | None
    message_id: str
    created_at: datetime
    due_at: datetime
    attempts: int
    sent_at: datetime | None
    parked_at: datetime | None
    last_error: str | None


class LettersAnswer(msgspec.Struct):
    """Letters, the newest first. ``after``: what to ask for to see those that follow; null: there are no more."""

    letters: list[LetterAnswer]
    after: str | None


class WordsAnswer(msgspec.Struct):
    """A letter with its words as they would be sent now, what opens anything veiled; both null if it would not be sent.

    ``fault``: why it could not be put into words."""

    letter: LetterAnswer
    subject: str | None
    text: str | None
    fault: str | None


def operations() -> list[Operation]:
    """The doors of this module."""
    one = "/api/v1/letters/{letter}"
    read = partial(Operation, "GET", roles=STAFF, scope="letters:read")
    write = partial(Operation, "POST", roles=STAFF, scope="letters:write")
    return [
        read("/api/v1/letters", list_letters, answer=LettersAnswer, asks=LettersQuery),
        read(one, read_letter, answer=WordsAnswer),
        write(f"{one}/resend", resend, answer=LetterAnswer, headers=("Idempotency-Key",), refusals=(409, 422)),
    ]


async def list_letters(request: Request) -> Response:
    """The letters, the newest first, a hundred at a time: by appointment, recipient, kind and state."""
    query = asked(request, LettersQuery)
    wanted = Wanted(query.appointment, query.recipient, query.kind, query.state)
    behind = _place(query.after) if query.after is not None else None
    found = await letter_log.list_letters(house_of(request), actor_of(request), wanted, PAGE, behind)
    after = _mark(found[-1]) if len(found) == PAGE else None
    return json_answer(LettersAnswer([_shown(each) for each in found], after))


async def read_letter(request: Request) -> Response:
    """One letter with its words as they would be sent now; codes and links that open something are veiled."""
    url, letter = guard_of(request).public.url, request.path_params["letter"]
    found = await letter_log.read_letter(house_of(request), actor_of(request), letter, url)
    return json_answer(WordsAnswer(_shown(found.letter), found.subject or None, found.text or None, found.fault or None))


async def resend(request: Request) -> Response:
    """Send a letter once more, under the same Message-ID; one that waits is not doubled, one that is overtaken is refused."""
    url, letter = guard_of(request).public.url, request.path_params["letter"]
    sent = await letter_log.send_again(house_of(request), actor_of(request), letter, url, key_of(request))
    return json_answer(_shown(sent))


def _shown(letter: Letter) -> LetterAnswer:
    same = {name: getattr(letter, name) for name in LetterAnswer.__struct_fields__ if name != "appointment"}
    return LetterAnswer(**same, appointment=letter.appointment_id)


def _mark(letter: Letter) -> str:
    """Where a list goes on: the letter's time and id, so that it holds even if that letter is gone."""
    return f"{(letter.created_at - EPOCH) // MICROSECOND}-{letter.id}"


def _place(mark: str) -> tuple[datetime, str]:
    match = MARK.fullmatch(mark)
    if match is None:
        raise BadInput("after must be what a list gave.")
    return EPOCH + int(match[1]) * MICROSECOND, match[2]
