"""Cells: the five minutes in which a technician's time is promised. All moments here are whole seconds since the epoch."""

from datetime import UTC, datetime

CELL_S = 300
"""Seconds of a cell. A stretch is rounded outward to cells before it is offered, so that what was offered can be kept."""


def epoch_s(moment: datetime) -> int:
    """An aware datetime as whole seconds since the epoch (rounded down)."""
    return int(moment.timestamp() // 1)


def moment(seconds: int) -> datetime:
    """Seconds since the epoch as aware UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def first_cell(start_s: int) -> int:
    """The cell in which a stretch begins."""
    return start_s // CELL_S


def after_cell(end_s: int) -> int:
    """The first cell that a stretch ending then leaves free."""
    return -(-end_s // CELL_S)


def cells(start_s: int, end_s: int) -> range:
    """Every cell that a stretch touches."""
    return range(first_cell(start_s), after_cell(end_s))
