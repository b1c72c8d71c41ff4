"""Pages as answers: the Jinja environment with its few filters, and the headers that every page carries."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from portal_web import times
from portal_web.assets import Assets
from portal_web.facts import Site

HERE = Path(__file__).parent
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_TIME = re.compile(r"\[([0-9:]+)\]\(([-0-9T:]+Z)\)")


def rich(text: str) -> Markup:
    """A sentence of ours as markup: everything escaped, then ``**words**`` in bold and ``[14:01](…Z)`` as a time."""
    timed = _TIME.sub(r'<time datetime="\2">\1</time>', str(escape(text)))
    return Markup(_STRONG.sub(r"<b>\1</b>", timed))  # noqa: S704 -- escaped before


def digits(phone: str) -> str:
    """A phone number as a ``tel:`` address wants it: plus and digits only."""
    return re.sub(r"[^+0-9]", "", phone)


def environment(assets: Assets, site: Site) -> Environment:
    """Templates that escape everything and refuse names nobody gave them."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(asset=assets.url, site=site, viewer=None, here=None)
    env.filters.update(
        rich=rich,
        digits=digits,
        clock=lambda at, zone: times.tag(at, times.clock(at, zone)),
        clock_s=lambda at, zone: times.tag(at, times.clock_s(at, zone)),
        clock_text=times.clock,
        day=times.day,
        short_day=times.short_day,
        long_day=times.long_day,
        time_tag=times.tag,
        zone_words=lambda at, zone: times.zone_words(zone, at),
    )
    return env


class Pages:
    """Renders templates into answers that no cache keeps and that load nothing from elsewhere."""

    def __init__(self, assets: Assets, site: Site, *, image_hosts: tuple[str, ...] = (), socket_host: str | None = None) -> None:
        self.assets = assets
        self.site = site
        self._env = environment(assets, site)
        self._headers = page_headers(image_hosts, socket_host)

    def text(self, template: str, **context: object) -> str:
        """The template as text."""
        return self._env.get_template(template).render(**context)

    def answer(self, template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> HTMLResponse:
        """The template as an answer with all headers of a page."""
        return HTMLResponse(self.text(template, **context), status, headers={**self._headers, **(headers or {})})


def page_headers(image_hosts: tuple[str, ...] = (), socket_host: str | None = None) -> dict[str, str]:
    """Nothing inline, nothing from elsewhere; ``image_hosts`` only where an outside tile server is configured.

    ``socket_host`` (``wss://…``) is named for browsers in which 'self' does not cover WebSockets.
    """
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": " ".join(("'self'", *image_hosts)),
        "connect-src": " ".join(("'self'", *((socket_host,) if socket_host else ()))),
        "manifest-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Permissions-Policy": "geolocation=(), camera=(), microphone=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
