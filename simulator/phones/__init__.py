"""Phones: five stock apps and our own, each written from the public protocols alone."""

from enum import StrEnum

import httpx

from simulator.phones.base import Counts, Heard, Phone, Target
from simulator.phones.frames import GivenUp, Policy, StepRefused
from simulator.phones.gpslogger import GpsLogger
from simulator.phones.overland import Overland
from simulator.phones.owntracks import OwnTracks, OwnTracksIos
from simulator.phones.socket import SocketPhone
from simulator.phones.stock import Outcome, StockPhone
from simulator.phones.traccar import Traccar8, Traccar9, Traccar10

__all__ = ["App", "Counts", "GivenUp", "Outcome", "Phone", "Policy", "SocketPhone", "StepRefused", "Target", "make_phone"]


class App(StrEnum):
    """What a phone can run."""

    SOCKET = "socket"
    OWNTRACKS = "owntracks"
    OWNTRACKS_IOS = "owntracks-ios"
    TRACCAR8 = "traccar8"
    TRACCAR9 = "traccar9"
    TRACCAR10 = "traccar10"
    OVERLAND = "overland"
    GPSLOGGER = "gpslogger"


_STOCK: dict[App, type[StockPhone]] = {
    App.OWNTRACKS: OwnTracks,
    App.OWNTRACKS_IOS: OwnTracksIos,
    App.TRACCAR8: Traccar8,
    App.TRACCAR9: Traccar9,
    App.TRACCAR10: Traccar10,
    App.OVERLAND: Overland,
    App.GPSLOGGER: GpsLogger,
}


def make_phone(
    app: App, target: Target, client: httpx.AsyncClient, *, seed: int = 0, heard: Heard | None = None, haste: float = 1.0
) -> Phone:
    """A phone running this app. ``haste`` divides the app's waiting times before another try (1: as the true app)."""
    if app is App.SOCKET:
        return SocketPhone(target, seed=seed, heard=heard, haste=haste)
    return _STOCK[app](target, client, seed=seed, heard=heard, haste=haste)
