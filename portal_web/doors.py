"""All doors of the portal, for `tracker.app.create_app`."""

from dataclasses import dataclass

from starlette.routing import BaseRoute

from portal_web.address import AddressDoors
from portal_web.assets import portal_assets
from portal_web.book import BookDoors
from portal_web.booked import BookedDoors
from portal_web.cancel import CancelDoors
from portal_web.feedback import FeedbackDoors
from portal_web.health import HealthDoors
from portal_web.home import HomeDoors
from portal_web.links import LinkDoors
from portal_web.live import LiveDoors
from portal_web.mailbox import MailboxDoors
from portal_web.modify import ModifyDoors
from portal_web.pages import Pages
from portal_web.profile import ProfileDoors
from portal_web.redeem import RedeemDoors
from portal_web.refusals import refusal_page
from portal_web.sign_in import SignInDoors
from portal_web.sources import Street
from tracker.config import Config
from tracker.demo.mailbox import Mailbox
from tracker.domain.geo import Point
from tracker.roads.addresses import Addresses
from tracker.web.guard import EVERYBODY, door
from tracker.web.problems import RefusalPage
from tracker.web.tiles import street_map


@dataclass(frozen=True, slots=True)
class Portal:
    """What the portal hands over: ``create_app(house, config, portal.routes, refusal_page=portal.refusal_page)``."""

    routes: list[BaseRoute]
    refusal_page: RefusalPage


def portal(config: Config) -> Portal:
    """The pages of one process. Reads all static files once; folium is not imported here (see `portal_web/shell`)."""
    assets = portal_assets()
    pages = Pages(assets)
    streets = street_map(config.roads, config.tiles_url)
    street = street_names(Addresses(config.roads))
    static = assets.route()
    routes: list[BaseRoute] = [
        *HomeDoors(pages, streets, street).routes(),
        *LiveDoors(pages, streets, street).routes(),
        *LinkDoors(pages).routes(),
        *BookDoors(pages).routes(),
        *BookedDoors(pages).routes(),
        *ModifyDoors(pages).routes(),
        *CancelDoors(pages).routes(),
        *FeedbackDoors(pages).routes(),
        *SignInDoors(pages).routes(),
        *RedeemDoors(pages).routes(),
        *ProfileDoors(pages).routes(),
        *AddressDoors(pages, streets).routes(),
        *HealthDoors(pages).routes(),
        door(static.path, assets.serve, roles=EVERYBODY, kind="machine", name="static"),
    ]
    if config.public.demo:
        routes += MailboxDoors(pages, Mailbox(config.data)).routes()
    return Portal(routes, refusal_page(pages))


def street_names(addresses: Addresses) -> Street:
    """The street a place is on, out of the address index (some 50 µs, so it is asked where it is needed)."""

    def street(place: Point) -> str | None:
        near = addresses.near(place)
        return near.street if near else None

    return street
