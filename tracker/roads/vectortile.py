"""Vector tiles as bytes: writing and reading the part of Mapbox Vector Tile 2.1 that we use.

https://github.com/mapbox/vector-tile-spec/tree/master/2.1
A tile is 4096 × 4096 units, y down. The format is a published one so that any map program can open what we build.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

EXTENT = 4096

type Values = Mapping[str, str | int]
type Part = Sequence[Sequence[int]]
"""Vertices (x, y) of one point, line or ring, in tile units."""


class Shape(IntEnum):
    """The geometry types of the format, with its numbers."""

    POINT = 1
    LINE = 2
    AREA = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One feature of a tile: its parts and values. Rings do not repeat their first point; outer ones turn clockwise on screen."""

    shape: Shape
    parts: Sequence[Part]
    values: Values


def write(layers: Mapping[str, Sequence[Figure]]) -> bytes:
    """The tile's bytes, not compressed; layers without figures are left out, so an empty tile is ``b""``."""
    return b"".join(_field(3, _layer(name, figures)) for name, figures in layers.items() if figures)


def _layer(name: str, figures: Sequence[Figure]) -> bytes:
    keys: dict[str, int] = {}
    values: dict[str | int, int] = {}
    body = []
    for figure in figures:
        pairs = [
            number
            for key, value in figure.values.items()
            for number in (keys.setdefault(key, len(keys)), values.setdefault(value, len(values)))
        ]
        feature = (_field(2, b"".join(map(_varint, pairs))) if pairs else b"") + b"\x18" + _varint(figure.shape)
        body.append(_field(2, feature + _field(4, _commands(figure))))
    table = [_field(3, key.encode()) for key in keys] + [_field(4, _value(value)) for value in values]
    return b"\x78\x02" + _field(1, name.encode()) + b"".join(body) + b"".join(table) + b"\x28" + _varint(EXTENT)


def _commands(figure: Figure) -> bytes:
    """MoveTo and LineTo with zigzag differences; a ring ends with ClosePath. Plain loops: most parts have five points."""
    out = bytearray()
    x = y = 0
    for part in figure.parts:
        for at, (u, v) in enumerate(part):
            if at < 2:
                out += _varint(1 << 3 | 1 if at == 0 else (len(part) - 1) << 3 | 2)
            for step in (u - x, v - y):
                number = (step << 1) ^ (step >> 63)
                while number > 0x7F:
                    out.append(number & 0x7F | 0x80)
                    number >>= 7
                out.append(number)
            x, y = u, v
        if figure.shape is Shape.AREA:
            out.append(7 | 1 << 3)
    return bytes(out)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _value(value: str | int) -> bytes:
    return _field(1, value.encode()) if isinstance(value, str) else b"\x28" + _varint(value)


# -- reading: for tests and for looking into a built file ---------------------------------------------------------------


def read(tile: bytes) -> dict[str, list[Figure]]:
    """The layers of a tile (not compressed)."""
    layers = {}
    for _number, payload in _fields(tile):
        assert isinstance(payload, bytes)  # noqa: S101 -- a tile has nothing but layers
        name, figures = _read_layer(payload)
        layers[name] = figures
    return layers


def _read_layer(layer: bytes) -> tuple[str, list[Figure]]:
    found: dict[int, list[bytes]] = {1: [], 2: [], 3: [], 4: []}
    for number, payload in _fields(layer):
        if isinstance(payload, bytes):
            found[number].append(payload)
    keys = [key.decode() for key in found[3]]
    values = [payload.decode() if isinstance(payload, bytes) else payload for ((_, payload),) in map(_all, found[4])]
    return found[1][0].decode(), [_read_figure(feature, keys, values) for feature in found[2]]


def _read_figure(feature: bytes, keys: list[str], values: list[str | int]) -> Figure:
    parts = dict(_fields(feature))
    numbers = {key: list(_numbers(part)) for key, part in parts.items() if isinstance(part, bytes)}
    tags = numbers.get(2, [])
    shape = Shape(parts[3])  # type: ignore[arg-type]
    pairs = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
    return Figure(shape, _read_parts(numbers[4]), pairs)


def _read_parts(numbers: list[int]) -> list[Part]:
    parts: list[list[tuple[int, int]]] = []
    x = y = 0
    stream = iter(numbers)
    for command in stream:
        for _ in range(0 if command & 7 == 7 else command >> 3):
            dx, dy = next(stream), next(stream)
            x, y = x + (dx >> 1 ^ -(dx & 1)), y + (dy >> 1 ^ -(dy & 1))
            if command & 7 == 1:
                parts.append([])
            parts[-1].append((x, y))
    return list(parts)


def _all(message: bytes) -> list[tuple[int, bytes | int]]:
    return list(_fields(message))


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        if tag & 7 == 2:
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            yield tag >> 3, value


def _numbers(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _read_varint(packed, at)
        yield number


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
