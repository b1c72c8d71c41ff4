"""`tracker letters`: the log of letters by hand, with the filters that `/api/v1/letters` has (N6)."""

import click

from tracker.actions.letters import letter_log
from tracker.commands.administration import OPERATOR
from tracker.commands.customers import run, utc
from tracker.config import read
from tracker.domain.letter_kinds import Kind
from tracker.domain.letter_states import LetterState
from tracker.records.outbox import Letter, Wanted


def print_letters(most: int, appointment: str | None, recipient: str | None, kind: str | None, state: str | None) -> None:
    """Print the newest letters as they would be sent, the newest last."""
    wanted = Wanted(appointment, recipient, Kind(kind) if kind else None, LetterState(state) if state else None)
    for one in reversed(run(lambda house: letter_log.read_letters(house, OPERATOR, read().public.url, most, wanted))):
        letter = one.letter
        click.echo(f"--- {letter.id} {letter.kind}, {utc(letter.created_at)}, {_state(letter)}\nTo: {letter.recipient}")
        if one.text:
            click.echo(f"Subject: {one.subject}\n\n{one.text}")
        elif one.fault:
            click.echo(one.fault)
        else:
            click.echo("What it said is over: it would not be sent again.")


def _state(letter: Letter) -> str:
    match letter.state:
        case LetterState.SENT:
            return f"sent {utc(letter.sent_at)}"
        case LetterState.PARKED:
            return f"given up {utc(letter.parked_at)} ({letter.last_error})"
        case LetterState.OVERTAKEN:
            return "not needed any more"
        case LetterState.RETRYING:
            return f"waits, tried {letter.attempts} times ({letter.last_error})"
    return f"due {utc(letter.due_at)}"


def send_again(letter: str) -> None:
    """Let the worker send a letter once more."""
    run(lambda house: letter_log.send_again(house, OPERATOR, letter, read().public.url))
    click.echo("It goes out with the next turn of the worker.")
