"""Tiles as bytes: what is written is read back, and the bytes are those of the published format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.roads import vectortile
from tracker.roads.vectortile import Figure, Shape

PART = st.lists(st.tuples(st.integers(-600, 4700), st.integers(-600, 4700)), min_size=3, max_size=6)
VALUES = st.dictionaries(st.sampled_from("knrtb"), st.text(max_size=8) | st.integers(0, 2**31 - 1), max_size=3)
PLAIN = st.tuples(st.sampled_from([Shape.LINE, Shape.AREA]), st.lists(PART, min_size=1, max_size=3), VALUES)


@given(plain=st.lists(PLAIN, min_size=1, max_size=5))
def test_whatever_is_written_is_read_back(plain: list[tuple[Shape, list[list[tuple[int, int]]], dict[str, str | int]]]) -> None:
    figures = [Figure(shape, parts, values) for shape, parts, values in plain]
    found = vectortile.read(vectortile.write({"one": figures, "none": [], "first": figures[:1]}))
    assert list(found) == ["one", "first"]
    assert [(f.shape, f.parts, dict(f.values)) for f in found["one"]] == plain
    assert len(found["first"]) == 1


def test_the_bytes_are_the_published_format() -> None:
    """The polygon of the specification's own example (4.3.5.5): (3,6) (8,12) (20,34), closed."""
    tile = vectortile.write({"a": [Figure(Shape.AREA, [[(3, 6), (8, 12), (20, 34)]], {})]})
    geometry = bytes([9, 6, 12, 18, 10, 12, 24, 44, 15])
    assert geometry in tile
    feature = b"\x18\x03\x22\x09" + geometry
    layer = b"\x78\x02\x0a\x01a\x12" + bytes([len(feature)]) + feature + b"\x28\x80\x20"
    assert tile == b"\x1a" + bytes([len(layer)]) + layer


def test_an_empty_tile_has_no_bytes() -> None:
    assert vectortile.write({"road": [], "water": []}) == b""


@pytest.mark.parametrize("number", [0, 1, 127, 128, 16_383, 16_384, 2**21, 2**28, 2**32 - 1])
def test_numbers_of_every_length(number: int) -> None:
    assert vectortile._read_varint(vectortile._varint(number) + b"\x7f", 0) == (number, len(vectortile._varint(number)))
