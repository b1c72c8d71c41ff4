"""An account's address: found by typing in the real index, or a pin; confirmed; its zone comes of the place (O9)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import simulator
from tests.portal_web.living import Town, form_token, living
from tests.portal_web.test_portal_identity import press
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.records import customers
from tracker.roads.address_index import build_addresses
from tracker.roads.addresses import Addresses
from tracker.roads.files import ADDRESSES
from tracker.roads.finding import IndexFinder

DESK = Actor(Role.DISPATCHER, person="desk")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("helsinki")
    build_addresses(Path(simulator.__file__).parent / "data" / "helsinki.osm.pbf", folder / ADDRESSES)
    return folder


@pytest.fixture
async def town(sqlite_url: str, redis_url: str, tmp_path: Path, index: Path) -> AsyncIterator[Town]:
    async with living(sqlite_url, redis_url, tmp_path) as made:
        made.house.finder = IndexFinder(Addresses(index))
        made.client.cookies.set("tt", await made.token_of(made.world.stranger))
        yield made
        await made.house.finder.close()


async def account(town: Town) -> customers.Account:
    async with town.house.db.reading() as tx:
        found = await customers.account(tx, town.world.other_account)
    assert found
    return found


async def test_typed_found_confirmed(town: Town) -> None:
    path = f"/accounts/{town.world.other_account}/address"
    page = await town.client.get(path)
    assert "Where should the technician come to?" in page.text
    found = await town.client.post(f"{path}/find", data={"form_token": form_token(page.text), "typed": "korkeavuorenk 24"})
    assert "Korkeavuorenkatu 24, Helsinki" in found.text
    choice = found.text.partition('name="choice" value="')[2].partition('"')[0]
    saved = await press(town, path, choice=choice)
    assert saved.headers["location"] == f"{path}?saved=1"
    kept = await account(town)
    assert (kept.address, kept.zone) == ("Korkeavuorenkatu 24, Helsinki", "Europe/Helsinki")
    assert kept.lat == pytest.approx(60.165, abs=0.01)
    after = await town.client.get(saved.headers["location"])
    assert "Visit times are Helsinki time" in after.text
    assert 'name="choice"' not in after.text


async def test_a_pin_with_its_words(town: Town) -> None:
    path = f"/accounts/{town.world.other_account}/address"
    assert (await press(town, path, choice="pin", address="Mökki, Sipoo", lat="60,35", lon="25.27")).status_code == 303
    kept = await account(town)
    assert (kept.address, kept.lat, kept.lon) == ("Mökki, Sipoo", 60.35, 25.27)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "Choose one of the addresses, or set the pin on the map."),
        ({"choice": "pin", "address": "x", "lat": "91", "lon": "0"}, "off the globe"),
        ({"choice": "pin", "address": "x", "lat": "nan", "lon": "0"}, "off the globe"),
        ({"choice": "pin", "address": " ", "lat": "60", "lon": "25"}, "Say in words where this is"),
        ({"choice": "60.1"}, "Choose one of the addresses"),
        ({"choice": "pin", "address": "x" * 301, "lat": "60", "lon": "25"}, "300 characters"),
    ],
)
async def test_what_is_missing_is_said(town: Town, said: dict[str, str], words: str) -> None:
    answer = await press(town, f"/accounts/{town.world.other_account}/address", **said)
    assert answer.status_code == 422
    assert words in answer.text
    assert (await account(town)).lat is None


async def test_nothing_found_leaves_the_pin(town: Town) -> None:
    path = f"/accounts/{town.world.other_account}/address"
    token = form_token((await town.client.get(path)).text)
    found = await town.client.post(f"{path}/find", data={"form_token": token, "typed": "zzzz zzz"})
    assert "Nothing found for this." in found.text
    assert 'name="lat"' in found.text


async def test_an_account_with_an_address_is_changed_by_staff_only_and_never_by_others(town: Town) -> None:
    path = f"/accounts/{town.world.account}/address"
    assert (await town.client.get(path)).status_code == 404
    token = form_token((await town.client.get("/profile")).text)
    mine = f"/accounts/{town.world.other_account}/address"
    pin = {"form_token": token, "choice": "pin", "address": "Mökki", "lat": "60.35", "lon": "25.27"}
    assert (await town.client.post(path, data=pin)).status_code == 404
    assert (await town.client.post(mine, data=pin)).status_code == 303
    assert (await town.client.post(mine, data=pin)).status_code == 409
    fixed = (await town.client.get(mine)).text
    assert ('name="typed"' in fixed, "Map with a pin at Mökki" in fixed) == (False, True)
    town.client.cookies.set("tt", await town.token_of(town.world.dispatcher))
    page = await town.client.get(mine)
    assert "Address of Malli" in page.text
    pin |= {"form_token": form_token(page.text), "address": "Toinen mökki"}
    assert (await town.client.post(mine, data=pin)).status_code == 303
    assert (await account(town)).address == "Toinen mökki"


async def test_who_cannot_book_for_want_of_an_address_is_led_here(town: Town) -> None:
    path = f"/accounts/{town.world.other_account}/address"
    for page in ("/", "/book"):  # and not only from the menu
        assert f'href="{path}">' in (await town.client.get(page)).text.partition("<main")[2]
    await press(town, path, choice="pin", address="Mökki, Sipoo", lat="60.35", lon="25.27")
    assert "Give your address" not in (await town.client.get("/book")).text + (await town.client.get("/")).text
