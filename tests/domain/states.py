"""The diagram of states: ``python -m tests.domain.states`` writes docs/states.md from the table in domain/appointments."""

from pathlib import Path

from tracker.domain.appointments import MOVES, State

PAGE = Path(__file__).resolve().parents[2] / "docs" / "states.md"
HEAD = """# Where an appointment stands

Made from `MOVES` in `tracker/domain/appointments.py` by `python -m tests.domain.states`; a test holds the two together.

"""
TAIL = """
Beyond the table: a technician takes a step back (`undo`) within 30 seconds only, staff at any time; a technician is on the
way to one appointment at most, so another *Start travel*, or arriving elsewhere, turns the first one back to scheduled (asked
first), as does handing it over; `cancel` and `not_done` want a few words about why. The map shows nothing outside
`traveling`. Nothing leaves `canceled`.
"""


def page() -> str:
    """The whole page."""
    arrows = [f"    {state} --> {move.to}: {step}" for (state, step), move in MOVES.items()]
    diagram = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.SCHEDULED}", *arrows, "```", ""]
    rows = ["| from | step | to | who |", "|---|---|---|---|"]
    for (state, step), move in MOVES.items():
        rows.append(f"| {state} | {step} | {move.to} | {', '.join(sorted(move.roles))} |")
    return HEAD + "\n".join([*diagram, *rows]) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page())
