"""Static files: hashed names all the way down, cached for ever, small on the wire."""

import gzip

import httpx
import pytest
from starlette.applications import Starlette

from portal_web.assets import Assets, portal_assets


def client_of(assets: Assets) -> httpx.AsyncClient:
    app = Starlette(routes=[assets.route()])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://static")


def small(**changed: bytes) -> Assets:
    files = {
        "js/main.js": b'import { a } from "./a.js";\nconst later = () => import("./b.js");\n',
        "js/a.js": b'import "./b.js";\nexport const a = 1;\n',
        "js/b.js": b'//   import { b } from "./b.js";\nexport const b = 2;\n',
        "css/site.css": b".x { background: url(images/dot.png); fill: url(#hatch); }",
        "css/images/dot.png": b"png",
    }
    assets = Assets()
    for name, body in {**files, **{name.replace("__", "/").replace("_", "."): body for name, body in changed.items()}}.items():
        assets.add(name, body)
    return assets


def test_a_changed_file_changes_the_name_of_all_that_lead_to_it_and_of_nothing_else():
    before, after = small(), small(js__b_js=b"export const b = 3;\n")
    assert [before.url(name) == after.url(name) for name in ("js/main.js", "js/a.js", "js/b.js", "css/site.css")] == [
        False,
        False,
        False,
        True,
    ]


async def test_imports_and_pictures_are_found_under_their_hashed_names():
    assets = small()
    async with client_of(assets) as client:
        main = (await client.get(assets.url("js/main.js"))).text
        assert assets.url("js/a.js") in main
        assert f'import("{assets.url("js/b.js")}")' in main
        style = (await client.get(assets.url("css/site.css"))).text
        assert f"url({assets.url('css/images/dot.png')})" in style
        assert "url(#hatch)" in style


def test_a_circle_of_imports_and_a_missing_one_are_refused():
    circle = small(js__b_js=b'import "./main.js";')
    with pytest.raises(ValueError, match="circle"):
        circle.route()
    with pytest.raises(KeyError, match="not there"):
        small(js__b_js=b'import "./nowhere.js";').route()


async def test_files_are_sent_packed_typed_and_for_ever():
    assets = portal_assets()
    async with client_of(assets) as client:
        answer = await client.get(assets.url("leaflet/leaflet.js"), headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        plain = await client.get(assets.url("leaflet/leaflet.js"), headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
        assert len(gzip.compress(plain.content)) < len(plain.content) / 2
        unhashed = await client.get("/static/js/live.js")
        assert unhashed.status_code == 404  # only a name that changes with its content may be cached for ever


def test_what_a_page_preloads_is_all_that_its_modules_lead_to_and_nothing_twice():
    assets = small()
    assert assets.modules("js/main.js") == [assets.url("js/a.js"), assets.url("js/b.js")]
    assert assets.modules("js/main.js", "js/a.js") == [assets.url("js/b.js")]
