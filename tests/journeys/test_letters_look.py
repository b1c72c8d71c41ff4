"""Letters in a real browser: none is wider than a narrow phone, whatever the names in it, in either direction and theme."""

from typing import Literal

import pytest
from playwright.async_api import Browser

from tests.post.shown import SHOWN, Names, shown
from tracker.domain.tongues import LANGUAGES, tongue
from tracker.post.message import Writer

pytestmark = pytest.mark.journey

LONG = Names(
    company="Helsingin Lämpöpumppu- ja Ilmanvaihtohuolto Oy Ab",
    technician="Aleksanteri-Konstantinos Esimerkkilä-Papadopoulos",
    vehicle="silver refrigerated long-wheelbase van, ABC-123",
    service="Heat pump inspection with refrigerant refill and certificate renewal",
    address="Korkeavuorenkadunsivukujanpohjoispuoli 124 C 12 A 3456, 00130 Helsinki",
    contact="Kaisa-Marjatta Kokeilu-Esimerkkiläinen",
    account="Kerrostaloasuntoyhtymänisännöintitoimisto Korkeavuorenkatu 24–26",
    reason="The gate was locked, and the caretaker, who was called three times, had no key to it.",
)
MEASURED = """() => {
  const card = document.querySelector('.card').getBoundingClientRect();
  const start = (one) => Math.round(document.dir === 'rtl' ? card.right - one.right : one.left - card.left);
  const said = [...document.querySelectorAll('.chip, h1, .big bdi, .sub, dt, .note')];
  return {
    wider: document.documentElement.scrollWidth - innerWidth,
    starts: [...new Set(said.map((one) => start(one.getBoundingClientRect())))],
    button: getComputedStyle(document.querySelector('.btn')).textAlign,
    paper: getComputedStyle(document.body).backgroundColor,
  };
}"""


@pytest.mark.parametrize(("theme", "paper"), [("light", "rgb(246, 244, 239)"), ("dark", "rgb(14, 17, 22)")])
async def test_every_letter_fits_a_narrow_phone_and_begins_at_one_edge(
    chromium: Browser, theme: Literal["light", "dark"], paper: str
) -> None:
    reader = await chromium.new_page(viewport={"width": 320, "height": 640}, color_scheme=theme)
    try:
        for language in LANGUAGES:
            for kind in SHOWN:
                sender, words = shown(kind, language, LONG)
                await reader.set_content(Writer().html(words, sender))
                found = await reader.evaluate(MEASURED)
                assert (found["wider"], found["button"], found["paper"]) == (0, "center", paper), (kind, language)
                assert found["starts"] == [25], (kind, language)  # the card's edge and its padding
                assert tongue(language).rtl == await reader.evaluate("document.dir === 'rtl'")
    finally:
        await reader.close()
