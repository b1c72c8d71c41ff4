"""Static files under content-hashed names: read once at start, kept in memory, cacheable for ever."""

import gzip
import hashlib
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal_web.shell import leaflet_folder

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_TEXT = frozenset({".css", ".js", ".json", ".svg", ".txt", ".webmanifest"})
_JS_IMPORT = re.compile(rb"""^((?!\s*//).*\b(?:from|import)\s*\(?\s*)(["'])(\.{1,2}/[^"']+)\2""", re.MULTILINE)
_CSS_URL = re.compile(rb"""(url\()(["']?)([^"'()#:]+\.[a-z0-9]+)\2(?=\))""")
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: its hashed name, its bytes (plain and, for text, gzipped) and its media type."""

    name: str
    body: bytes
    gzipped: bytes | None
    media_type: str


class Assets:
    """The manifest: ``url("css/tokens.css")`` → ``/static/css/tokens.1f3a….css``.

    Modules name each other by their plain names (``import … from "./clock.js"``), style sheets their pictures; both are
    rewritten to the hashed names here, so a changed file changes the name of everything that leads to it and nothing else.
    """

    def __init__(self, prefix: str = "/static") -> None:
        self.prefix = prefix
        self._sources: dict[str, bytes] = {}
        self._built: dict[str, Asset] = {}
        self._by_hashed_name: dict[str, Asset] = {}

    def add_folder(self, folder: Path, under: str = "") -> None:
        """Takes over every file of a known type below ``folder``; names are relative to it, below ``under``."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in TYPES:
                self.add(posixpath.join(under, path.relative_to(folder).as_posix()), path.read_bytes())

    def add(self, name: str, body: bytes) -> None:
        """Adds one file (a shell made at start, say). Names are taken once: a second one is a mistake."""
        if name in self._sources:
            raise ValueError(f"the static file {name} exists already")
        self._sources[name] = body

    def url(self, name: str) -> str:
        """The address of a file by its plain name; KeyError if there is none."""
        return f"{self.prefix}/{self._build(name, ()).name}"

    def modules(self, *names: str) -> list[str]:
        """The addresses of all modules that these lead to, nearest first, each once: for ``<link rel="modulepreload">``.

        A browser finds an import only when it has read the importer, so a slow line would pay its delay once a storey.
        """
        found, ahead = dict.fromkeys(names), list(names)
        while ahead:
            name = ahead.pop(0)
            beside = posixpath.dirname(name)
            for match in _JS_IMPORT.finditer(self._sources[name]):
                target = posixpath.normpath(posixpath.join(beside, match[3].decode()))
                if target not in found:
                    found[target] = None
                    ahead.append(target)
        return [self.url(name) for name in found if name not in names]

    def route(self) -> Route:
        """The door of all static files; every name is made before the first request."""
        for name in self._sources:
            self._build(name, ())
        return Route(f"{self.prefix}/{{name:path}}", self.serve, methods=["GET"], name="static")

    def _build(self, name: str, importers: tuple[str, ...]) -> Asset:
        if name in self._built:
            return self._built[name]
        if name in importers:
            raise ValueError(f"static files refer to each other in a circle: {' → '.join((*importers, name))}")
        body = self._with_hashed_references(name, self._sources[name], (*importers, name))
        stem, suffix = posixpath.splitext(name)
        hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}{suffix}"
        packed = gzip.compress(body, 6, mtime=0) if suffix in _TEXT and len(body) > 1000 else None
        asset = Asset(hashed, body, packed, TYPES[suffix])
        self._built[name] = self._by_hashed_name[hashed] = asset
        return asset

    def _with_hashed_references(self, name: str, body: bytes, importers: tuple[str, ...]) -> bytes:
        pattern = {".js": _JS_IMPORT, ".css": _CSS_URL}.get(posixpath.splitext(name)[1])
        if pattern is None:
            return body

        def hashed(match: re.Match[bytes]) -> bytes:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[3].decode()))
            if target not in self._sources:
                if name.endswith(".js"):
                    raise KeyError(f"{name} imports {target}, which is not there")
                return match[0]
            return match[1] + match[2] + f"{self.prefix}/{self._build(target, importers).name}".encode() + match[2]

        return pattern.sub(hashed, body)

    async def serve(self, request: Request) -> Response:
        """One file by its hashed name, plain or packed as the browser takes it."""
        asset = self._by_hashed_name.get(request.path_params["name"])
        if asset is None:
            return Response("There is no such file.\n", 404, media_type="text/plain")
        headers = {"Cache-Control": _FOREVER, "X-Content-Type-Options": "nosniff"}
        if asset.gzipped is None:
            return Response(asset.body, headers=headers, media_type=asset.media_type)
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.gzipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
        return Response(asset.body, headers=headers, media_type=asset.media_type)


def portal_assets() -> Assets:
    """All static files of the pages: ours, and Leaflet out of its wheel."""
    assets = Assets()
    assets.add_folder(Path(__file__).parent / "static")
    leaflet = leaflet_folder()
    for name in (
        "leaflet.js",
        "leaflet.css",
        *(f"images/{picture.name}" for picture in sorted((leaflet / "images").glob("*.png"))),
    ):
        assets.add(f"leaflet/{name}", (leaflet / name).read_bytes())
    return assets
