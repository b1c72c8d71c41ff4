"""Addresses by typing, from a server: what it says, what it does not, and when it is away (the index has its own tests)."""

import json
from collections.abc import Callable

import pytest

from tracker.roads.finding import WebFinder

NOMINATIM = [{"display_name": "24, Korkeavuorenkatu, Helsinki", "lat": "60.1651", "lon": "24.9463"}]
PHOTON = {
    "features": [
        {
            "geometry": {"coordinates": [24.9463, 60.1651]},
            "properties": {"street": "Korkeavuorenkatu", "housenumber": "24", "postcode": "00130", "city": "Helsinki"},
        },
        {"geometry": {"coordinates": [24.9, 60.2]}, "properties": {"name": "Kaivopuisto"}},
    ]
}


@pytest.mark.parametrize(
    ("kind", "body", "labels"),
    [
        ("nominatim", NOMINATIM, ["24, Korkeavuorenkatu, Helsinki"]),
        ("photon", PHOTON, ["Korkeavuorenkatu 24, 00130 Helsinki", "Kaivopuisto"]),
    ],
)
async def test_both_servers_are_understood(
    scripted_server: Callable[[int, bytes], str], kind: str, body: object, labels: list[str]
) -> None:
    finder = WebFinder(scripted_server(200, json.dumps(body).encode()), kind)
    found = await finder.find("Korkeavuorenkatu 24")
    assert [one.label for one in found] == labels
    assert found[0].point == (60.1651, 24.9463)
    await finder.close()


@pytest.mark.parametrize("kind", ["nominatim", "photon"])
@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (200, b"<html>"), (200, b"{}"), (200, b'[{"lat":"x"}]'), (200, b'[{"display_name":"x","lat":"99","lon":"1"}]')],
)
async def test_what_is_not_understood_is_nothing_found(
    scripted_server: Callable[[int, bytes], str], kind: str, status: int, body: bytes
) -> None:
    finder = WebFinder(scripted_server(status, body), kind)
    assert await finder.find("x y z") == []
    await finder.close()


async def test_a_server_that_is_away_finds_nothing(unused_port: int) -> None:
    finder = WebFinder(f"http://127.0.0.1:{unused_port}", "photon")
    assert await finder.find("Korkeavuorenkatu") == []
    await finder.close()
