"""The people, places and services of the demo. All persons are invented; addresses © OpenStreetMap contributors (ODbL)."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from tracker.domain.geo import Point, distance_m

ZONE = "Europe/Helsinki"

SETTINGS: dict[str, object] = {
    "company": "Waypoint",
    "desk_phone": "+358 00 000 0000",
    "desk_hours": "Every day, day and night",
    "lead_time_min": 5,  # a visit can be booked for now …
    "slot_grid_min": 15,  # … or a quarter of an hour later
}

CUSTOMER = ("Kaisa Kokeilu", "kaisa@example.com", "Kasarmikatu 42")
GUEST = ("Ville Vieras", "ville@example.com")
"""Somebody of the customer's household who was invited and has no sign-in yet."""
CUSTOMER_PHONE = "+358 00 000 0001"
DISPATCHER = ("Dora Valvonta", "dispatch@example.com")
ADMIN = ("Antti Ylläpito", "admin@example.com")

TECHNICIANS = (
    ("Aino Esimerkki", "Heat pump technician", "White van", "ABC-123"),
    ("Mikko Malli", "Ventilation technician", "Blue van", "MKO-410"),
    ("Sanna Testi", "Boiler technician", "White van", "SAN-227"),
    ("Olli Testitalo", "Radiator technician", "Grey van", "OLL-318"),
    ("Leena Näyte", "Heat pump technician", "Red van", "LEE-902"),
    ("Pekka Koe", "Plumber", "White van", "PEK-556"),
    ("Noora Malli", "Electrician", "Green van", "NOO-741"),
    ("Eero Esimerkki", "Ventilation technician", "Blue van", "EER-130"),
    ("Helmi Kokeilija", "Heat pump technician", "White van", "HEL-664"),
    ("Juho Näytteinen", "Boiler technician", "Grey van", "JUH-285"),
    ("Siiri Testinen", "Electrician", "White van", "SII-873"),
    ("Ville Mallinen", "Plumber", "Red van", "VIL-419"),
)

STUDIO = ("Studio", "Viherniemenkatu 3")
ASSETS = (("Heat pump, living room", "Pohjola 7", "HP-000123"), ("Ventilation unit, studio", "Tuuli 200", "VU-004567"))
"""The customer's: the first stands at home, the second in the studio."""

HOUSEHOLDS = (
    "Testitalo",
    "Cafe Demo",
    "Malila",
    "As Oy Esimerkki",
    "Koskela",
    "Näyteikkuna Oy",
    "Virtanen",
    "Kirjakauppa Sivu",
    "Laine",
    "Hotelli Koe",
    "Saarinen",
    "Studio Malli",
)

SERVICES = (
    ("Heat pump check", 10),
    ("Ventilation filter change", 10),
    ("Boiler check", 10),
    ("Radiator bleeding", 10),
    ("Leak inspection", 10),
)
"""Short ones: the vans drive in real time, and nobody watches a demo for an hour."""


class Place(NamedTuple):
    """An address of the city."""

    address: str
    point: Point


class _Row(msgspec.Struct):
    address: str
    lat: float
    lon: float


@cache
def places() -> tuple[Place, ...]:
    """Addresses at least 170 m apart, all over the demo's extract."""
    rows = msgspec.json.decode((Path(__file__).parent / "places.json").read_bytes(), type=list[_Row])
    return tuple(Place(row.address, Point(row.lat, row.lon)) for row in rows)


def place_of(address: str) -> Place:
    """The place of an address that is in the list."""
    return next(place for place in places() if place.address == address)


def home(number: int) -> Place:
    """Where the n-th technician lives: the first six far from the demo's customer, the others all over the city."""
    if number < 6:
        return sorted(places(), key=lambda place: -distance_m(place.point, place_of(CUSTOMER[2]).point))[number]
    return places()[(number * 7) % len(places())]


def technician(number: int) -> tuple[str, str, str, str]:
    """Name, trade, vehicle and plate of the n-th technician; from the thirteenth on they are numbered."""
    name, title, vehicle, plate = TECHNICIANS[number % len(TECHNICIANS)]
    round_ = number // len(TECHNICIANS)
    return (name, title, vehicle, plate) if not round_ else (f"{name} {round_ + 1}", title, vehicle, f"{plate[:4]}{number:03d}")
