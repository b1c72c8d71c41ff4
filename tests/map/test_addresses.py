"""Finding an address by typing, and naming the street a place is on."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import simulator
from tracker.domain.geo import Point, distance_m
from tracker.roads.address_index import build_addresses
from tracker.roads.address_text import Reading, fold, number_of, readings
from tracker.roads.addresses import Addresses, Kind, Near
from tracker.roads.files import ADDRESSES


@pytest.fixture(scope="module")
def helsinki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    folder = tmp_path_factory.mktemp("helsinki")
    assert build_addresses(Path(simulator.__file__).parent / "data" / "helsinki.osm.pbf", folder / ADDRESSES) > 1400
    index = Addresses(folder)
    yield index
    index.close()


@pytest.fixture(scope="module")
def town(town_pbf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    folder = tmp_path_factory.mktemp("town")
    build_addresses(town_pbf, folder / ADDRESSES)
    index = Addresses(folder)
    yield index
    index.close()


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("Korkeavuorenkatu 24", "Korkeavuorenkatu 24, Helsinki"),
        ("korkeavuorenkatu 24 B 3", "Korkeavuorenkatu 24, Helsinki"),
        ("KORKEAVUORENK 24", "Korkeavuorenkatu 24, Helsinki"),
        ("24 Korkeavuorenkatu", "Korkeavuorenkatu 24, Helsinki"),
        ("Korkeavuorenkatu 24, 00130 Helsinki", "Korkeavuorenkatu 24, Helsinki"),
        ("Högbergsgatan 24", "Korkeavuorenkatu 24, Helsinki"),  # the same street in Swedish
        ("hogbergsgatan 24", "Korkeavuorenkatu 24, Helsinki"),
        ("kaivok", "Kaivokatu, Helsinki"),
        ("etelaespl", "Eteläesplanadi, Helsinki"),
        ("kaivokatu helsinki", "Kaivokatu, Helsinki"),
        ("senaatintori", "Senaatintori, Helsinki"),
    ],
)
def test_the_first_answer(helsinki: Addresses, typed: str, first: str) -> None:
    assert helsinki.find(typed)[0].label == first


@pytest.mark.parametrize(
    "typed", ["", "   ", "zzzz", "'; DROP TABLE street; --", '"*', "AND OR NOT NEAR(", "\x00", "x" * 10_000, "%_%"]
)
def test_nothing_is_found_and_nothing_breaks(helsinki: Addresses, typed: str) -> None:
    assert helsinki.find(typed) == []


def test_inside_of_one_long_word(helsinki: Addresses) -> None:
    assert {"Pohjoisesplanadi", "Eteläesplanadi"} <= {hit.name for hit in helsinki.find("esplanadi")}


def test_the_house_is_where_the_house_is(helsinki: Addresses) -> None:
    hit = helsinki.find("Korkeavuorenkatu 24")[0]
    assert hit.kind is Kind.HOUSE
    assert hit.exact
    assert distance_m(hit.point, Point(60.16474, 24.94549)) < 20


def test_no_more_than_asked_for(helsinki: Addresses) -> None:
    assert len(helsinki.find("k", limit=3)) == 3
    assert len(helsinki.find("unioninkatu 2", limit=2)) == 2


@pytest.mark.parametrize(
    ("typed", "number", "exact", "lat"),
    [
        ("rue eglise 3", "3", True, 50.0062),
        ("Rue de l'Église 1", "1", True, 50.0052),
        ("rue de l eglise 2a", "2 a", True, 50.0057),
        ("church street 9", "9", True, 50.0092),
        ("rue de l’église 5", "5", False, 50.0072),  # between 3 and 9 on its side
        ("rue de l'eglise 99", "99", False, 50.0092),  # beyond the last
        ("rue de l'eglise 4", "4", False, 50.0057),  # the only one on its side
        ("GROSSE STRASSE 26", "26", True, 50.0104),
        ("große str 24", "24", True, 50.0104),
    ],
)
def test_house_numbers(town: Addresses, typed: str, number: str, exact: bool, lat: float) -> None:
    hit = town.find(typed)[0]
    assert (hit.number, hit.exact) == (number, exact)
    assert hit.point.lat == pytest.approx(lat, abs=1e-6)
    assert hit.town == "Musterstadt"


def test_a_street_without_houses_is_named_after_the_nearest_town(town: Addresses) -> None:
    hit = town.find("Ö-Brücke")[0]
    assert (hit.kind, hit.label, hit.exact) == (Kind.STREET, "Ö-Brücke, Musterstadt", True)


@pytest.mark.parametrize(
    ("point", "near"),
    [
        (Point(50.0101, 10.0125), Near("Große Straße", 11.1)),
        (Point(50.0150, 10.0151), Near("Rue de l'Église", 7.1)),
        (Point(50.0070, 10.0200), None),  # below is a tunnel only
        (Point(50.0030, 10.0200), None),
        (Point(0.0, 0.0), None),
    ],
)
def test_the_street_a_place_is_on(town: Addresses, point: Point, near: Near | None) -> None:
    found = town.near(point)
    assert (found and found.street) == (near and near.street)
    if found and near:
        assert found.distance_m == pytest.approx(near.distance_m, abs=0.2)


def test_every_house_of_helsinki_is_found_by_its_own_words(helsinki: Addresses) -> None:
    db = helsinki._open()
    assert db
    rows = db.execute("SELECT s.name, h.number, h.lat, h.lon FROM house h JOIN street s ON s.id = h.street").fetchall()
    for name, number, lat, lon in rows[::7]:
        hits = [hit for hit in helsinki.find(f"{name} {number}", limit=40) if hit.exact and hit.name == name]
        # several shops of one house carry its address, some metres apart: one of them is shown
        assert any(distance_m(hit.point, Point(lat, lon)) < 120 for hit in hits), (name, number)


def test_the_index_can_be_asked_in_threads(helsinki: Addresses) -> None:
    found: list[str] = []

    def ask() -> None:
        found.append(helsinki.find("Kaivokatu")[0].name)
        helsinki.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Kaivokatu"] * 4


def test_without_an_index_nothing_is_found_and_a_new_one_is_taken(tmp_path: Path, town_pbf: Path) -> None:
    index = Addresses(tmp_path)
    assert index.find("Große Straße") == []
    assert index.near(Point(50.01, 10.01)) is None
    build_addresses(town_pbf, tmp_path / ADDRESSES)
    assert index.find("Große Straße")
    index.close()


@pytest.mark.parametrize(
    ("text", "number"),
    [("24", (24, "")), ("24b", (24, "b")), ("24 B", (24, "b")), ("12-14", (12, "")), ("12/3", (12, "")), ("x", None)],
)
def test_numbers(text: str, number: tuple[int, str] | None) -> None:
    assert number_of(text) == number


@pytest.mark.parametrize(("text", "folded"), [("Straße", "strasse"), ("ÉGLISE", "eglise"), ("Łódź", "lodz"), ("Ærø", "aero")])
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_street_that_is_itself_a_number_is_tried_too() -> None:
    assert list(readings("5th Avenue 12")) == [Reading(("5th", "avenue"), (12, "")), Reading(("5th", "avenue", "12"))]
    assert list(readings("Calle 14")) == [Reading(("calle",), (14, "")), Reading(("calle", "14"))]
