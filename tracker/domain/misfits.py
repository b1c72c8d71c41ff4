"""What does not fit in a request, in words that people understand: which field, and what it may be (never the parser's own)."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec

from tracker.errors import BadInput

_KINDS = {
    "array": "a list",
    "bool": "true or false",
    "date": "a day, as 2026-11-24",
    "datetime": "a time with its offset, as 2026-11-24T12:00:00Z",
    "float": "a number",
    "int": "a whole number",
    "null": "null",
    "object": "an object with fields",
    "str": "a text",
}
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$\.?(?P<where>.*)`)?", re.DOTALL)
_KEY = re.compile(r"\[[^\]]*\]")


def misfit(error: msgspec.ValidationError, kind: Any) -> BadInput:
    """The refusal of a body or query that is no ``kind``: ``field`` is the place, as ``hours[…].weekday``."""
    found = _PLACE.fullmatch(str(error))
    what, where = (found["what"], found["where"] or "") if found else (str(error), "")
    for pattern, say in _SAYINGS:
        if said := re.fullmatch(pattern, what, re.DOTALL):
            sentence, name = say(said, where, kind)
            return BadInput(sentence, field=name)
    return BadInput(str(error))


def _unknown(said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    name = ".".join(part for part in (where, said[1][:100]) if part)
    return f"There is no field “{name}” here. Leave it out, or write its name as the description does.", name


def _missing(said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    name = ".".join(part for part in (where, said[1]) if part)
    return f"The field “{name}” is missing.", name


def _enum(said: re.Match[str], where: str, kind: Any) -> tuple[str, str]:
    possible = ", ".join(dict.fromkeys(map(str, _allowed(kind, where))))
    return f"{_named(where)} cannot be “{said[1].strip("'")[:100]}”. It can be: {possible}.", where


def _of_kind(said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    wanted = " or ".join(_KINDS.get(one.strip(), one.strip()) for one in said[1].split("|"))
    return f"{_named(where)} must be {wanted}, not {_KINDS.get(said[2], said[2]).partition(',')[0]}.", where


def _of_time(_said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    return f"{_named(where)} must be {_KINDS['datetime']}.", where


def _of_day(_said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    return f"{_named(where)} must be {_KINDS['date']}.", where


def _long(said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    one, many = {"str": ("character", "characters"), "array": ("entry", "entries")}.get(said[1], ("field", "fields"))
    things = one if said[3] == "1" else many
    bound = "at most" if said[2] == "<=" else "at least"
    return f"{_named(where)} must have {bound} {said[3]} {things}.", where


def _large(said: re.Match[str], where: str, _kind: Any) -> tuple[str, str]:
    bound = {"<=": "at most", ">=": "at least", "<": "less than", ">": "more than"}[said[1]]
    return f"{_named(where)} must be {bound} {said[2]}.", where


_SAYINGS: tuple[tuple[str, Callable[[re.Match[str], str, Any], tuple[str, str]]], ...] = (
    (r"Object contains unknown field `(.*)`", _unknown),
    (r"Object missing required field `(.*)`", _missing),
    (r"Invalid enum value (.*)", _enum),
    (r"Expected `datetime` with a timezone component|Invalid RFC3339 encoded datetime", _of_time),
    (r"Invalid RFC3339 encoded date", _of_day),
    (r"Expected `(.*)`, got `(.*)`", _of_kind),
    (r"Expected `(str|array|object)` of length (<=|>=) (\d+)", _long),
    (r"Expected `(?:int|float)` (<=|>=|<|>) (\S+)", _large),
)


def _named(where: str) -> str:
    return f"“{where}”" if where else "What was sent"


# -- what a place may hold ---------------------------------------------------------------------------------------------


def _allowed(kind: Any, where: str) -> Iterator[Any]:
    """The values that the place may have, out of the type's own description."""
    whole = _schema(kind)
    nodes = [whole]
    for part in [one for one in _KEY.sub(".[]", where).split(".") if one]:
        nodes = [below for node in nodes for each in _options(node, whole) if (below := _below(each, part)) is not None]
    for node in nodes:
        for each in _options(node, whole):
            yield from each.get("enum", ())
            if "const" in each:
                yield each["const"]


def _below(node: dict[str, Any], part: str) -> dict[str, Any] | None:
    found = (node.get("items") or node.get("additionalProperties")) if part == "[]" else node.get("properties", {}).get(part)
    return found if isinstance(found, dict) else None


def _options(node: dict[str, Any], whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        yield from _options(whole["$defs"][node["$ref"].rpartition("/")[2]], whole)
    elif "anyOf" in node:
        for one in node["anyOf"]:
            yield from _options(one, whole)
    else:
        yield node


@cache
def _schema(kind: Any) -> dict[str, Any]:
    return msgspec.json.schema(kind)
