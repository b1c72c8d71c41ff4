"""Statements that are asked again and again, compiled once: on SQLite they go straight to the connection's thread.

Each time a statement is run through SQLAlchemy it costs some two hundred microseconds, of which SQLite itself needs ten. So
what is always the same is kept: the SQL, the order of its parameters, and what turns values into the driver's and rows back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Select
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.sql.selectable import SelectBase

from tracker.errors import Unstorable
from tracker.records.schema import Instant

type Values = Mapping[str, Any]
"""Of bound parameters, by name."""
type Turn = Callable[[Any], Any]

MOST_SHAPES = 400
"""Lengths of lists that a statement is kept for."""
_DIALECT: Any = aiosqlite.dialect()


class _Shape(NamedTuple):
    """The SQL for lists of certain lengths, its parameters in order, those that never change, and the names of lists' items."""

    sql: str
    order: tuple[tuple[str, Turn | None], ...]
    constant: dict[str, Any]
    items: dict[str, Sequence[str]]


class Prepared:
    """A statement with bound parameters; those in ``lists`` (expanding) take lists. ``columns``: what an INSERT writes."""

    def __init__(self, statement: Any, *, columns: Iterable[str] | None = None, lists: tuple[str, ...] = ()) -> None:
        self.statement = statement
        self._columns = None if columns is None else list(columns)
        self._lists = lists
        self._shapes: dict[tuple[int, ...], _Shape] = {}
        self._turns: list[tuple[int, Turn]] | None = None

    def bound(self, values: Values) -> tuple[str, list[Any]]:
        """SQL and parameters as SQLite's driver takes them; `Unstorable` for a text with a NUL."""
        shape = self._shape(values)
        return shape.sql, self._ordered(shape, values)

    def bound_many(self, rows: Sequence[Values]) -> tuple[str, list[list[Any]]]:
        """The same for many rows of one statement."""
        shape = self._shape(rows[0])
        return shape.sql, [self._ordered(shape, row) for row in rows]

    def read(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """What SQLite's driver answered, as the columns' types say."""
        if self._turns is None:
            self._turns = _turns(self.statement)
        if not rows or not self._turns:
            return rows
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for index, turn in self._turns:
            columns[index] = map(turn, columns[index])
        return list(zip(*columns, strict=True))

    def _shape(self, values: Values) -> _Shape:
        lengths = tuple([len(values[name]) for name in self._lists])
        found = self._shapes.get(lengths)
        if found is None:
            if len(self._shapes) >= MOST_SHAPES:
                self._shapes.clear()
            found = self._shapes[lengths] = self._compiled(values)
        return found

    def _compiled(self, values: Values) -> _Shape:
        compiled = self.statement.compile(dialect=_DIALECT, column_keys=self._columns)
        state = compiled.construct_expanded_state(values)
        items = {name: state.parameter_expansion[name] for name in self._lists}
        given = {*values, *(each for names in items.values() for each in names)}
        kinds = {name: each.type.dialect_impl(_DIALECT) for name, each in compiled.binds.items()}
        turns = {name: kind.bind_processor(_DIALECT) for name, kind in kinds.items()} | dict(state.processors)
        return _Shape(
            sql=state.statement,
            order=tuple((name, turns.get(name)) for name in state.positiontup or ()),
            constant={name: value for name, value in state.parameters.items() if name not in given},
            items=items,
        )

    def _ordered(self, shape: _Shape, values: Values) -> list[Any]:
        said = {**shape.constant, **values}
        for name, items in shape.items.items():
            said.update(zip(items, values[name], strict=True))
        ordered = [said[name] if turn is None else turn(said[name]) for name, turn in shape.order]
        refuse_nul(ordered)
        return ordered


def refuse_nul(parameters: Iterable[Any]) -> None:
    """SQLite would keep what PostgreSQL does not: a text with a NUL."""
    for value in parameters:
        if isinstance(value, str) and "\x00" in value:
            raise Unstorable


def _turns(statement: Any) -> list[tuple[int, Turn]]:
    """What turns a column's values into those of its type, for the columns that need it."""
    if not isinstance(statement, SelectBase):
        return []
    columns = statement.selected_columns if isinstance(statement, Select) else statement.exported_columns
    found = [(index, _turn(column.type)) for index, column in enumerate(columns)]
    return [(index, turn) for index, turn in found if turn is not None]


def _turn(kind: Any) -> Turn | None:
    if isinstance(kind, Instant):
        return _instant
    turn: Turn | None = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return turn


def _instant(text: str | None) -> datetime | None:
    """As `Instant` reads it, without the way through three functions."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
