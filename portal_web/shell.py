"""The map's shell: made with folium, once, by `python -m portal_web.shell`, and committed as a script and a style file.

folium writes a whole page with its script and style inside, from ten foreign hosts, and takes two seconds to import; a page of
ours allows nothing inline and nothing foreign. So folium draws an empty map here, with numbers and an id of our own only (it puts
texts raw into JavaScript), and what it wrote is split into two files served from 'self'. A test makes them again and compares.

How a page uses it (Leaflet itself comes from the wheel ``django-js-lib-leaflet``)::

    <div class="map">
    <div id="map_tracker" role="img" aria-label="…" data-basemap='{{ street_map.describe() | tojson }}'></div>
    </div>
    <script defer src="{{ asset('leaflet/leaflet.js') }}"></script>
    <script defer src="{{ asset('map/shell.js') }}"></script>       makes window.map_tracker, an L.Map without layers
    <script type="module" src="{{ asset('js/live.js') }}"></script>

and in the module: ``import { openMap } from "./map.js"; const { map, basemap } = openMap({ center: [60.17, 24.94], zoom: 16 });``
Style sheets: ``leaflet/leaflet.css``, ``map/shell.css``, ``css/basemap.css``, after components.css.
"""

import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

MAP_ID = "map_tracker"
"""The id of the map's element; also the name of the map in the page: ``window.map_tracker``."""

FOLDER = Path(__file__).parent / "static" / "map"

OPTIONS: dict[str, Any] = {
    "zoomSnap": 0.25,  # so that technician and address fill the picture
    "minZoom": 9,
    "maxZoom": 19,
    "attributionControl": False,  # basemap.js shows the credit, always, beside the map
    "keyboard": False,  # the map is announced as one picture; every gesture has a button beside it
    "bounceAtZoomLimits": False,
}
"""Leaflet's options, handed through by folium. Numbers and switches only, never a text."""


def leaflet_folder() -> Path:
    """Leaflet's own files, from the wheel: leaflet.js, leaflet.css, images/."""
    return Path(str(files("js_lib_leaflet"))) / "static" / "js_lib_leaflet"


@dataclass(frozen=True, slots=True)
class Shell:
    """What folium wrote, taken apart."""

    script: str
    style: str


def make() -> Shell:
    """Let folium draw the empty map and take its page apart. Takes about two seconds: never called in a request or at start."""
    import folium

    class LocalMap(folium.Map):
        default_js = [("leaflet", "leaflet.js")]  # noqa: RUF012 -- folium's own type
        default_css = [("leaflet_css", "leaflet.css")]  # noqa: RUF012

    shell = LocalMap(location=(0.0, 0.0), zoom_start=9, tiles=None, zoom_control=False, **OPTIONS)
    shell._id = MAP_ID.removeprefix("map_")
    return split(shell.get_root().render())


def split(page: str) -> Shell:
    """The script that makes the map, and the rules for its element, out of folium's page."""
    scripts = [text for text in re.findall(r"<script>(.*?)</script>", page, re.DOTALL) if f"var {MAP_ID} = L.map(" in text]
    styles = [text for text in re.findall(r"<style>(.*?)</style>", page, re.DOTALL) if f"#{MAP_ID}" in text]
    if len(scripts) != 1 or len(styles) != 1:
        raise ValueError("folium writes its page in another way now: look at portal_web/shell.py")
    head = f"made by folium through portal_web/shell.py: do not edit. The map is window.{MAP_ID}."
    return Shell(f"// {head}\n{_tidy(scripts[0])}", f"/* {head} */\n{_tidy(styles[0])}")


def _tidy(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines() if line.strip())


def write(folder: Path = FOLDER) -> None:
    """Write shell.js and shell.css."""
    shell = make()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shell.js").write_text(shell.script, encoding="utf-8")
    (folder / "shell.css").write_text(shell.style, encoding="utf-8")


if __name__ == "__main__":
    write()
    sys.stdout.write(f"Written: {FOLDER.name}/shell.js and {FOLDER.name}/shell.css\n")
