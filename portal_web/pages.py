"""Pages as answers: the Jinja environment with its few filters, and what every page is told."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from portal_web import times
from portal_web.assets import Assets
from portal_web.facts import first_name, initials
from portal_web.sources import site_of
from tracker.domain.accounts import ANONYMOUS, Actor
from tracker.domain.appointments import Role
from tracker.domain.surveys import STARS
from tracker.web.guard import guard_of, house_of

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


def environment(assets: Assets) -> Environment:
    """Templates that escape everything and refuse names nobody gave them."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(asset=assets.url, modules=assets.modules, viewer=None, holder=None, here=None, rates=STARS)
    env.globals.update(first_name=first_name, initials=initials)
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
        machine=times.machine,
        zone_words=lambda at, zone: times.zone_words(zone, at),
    )
    return env


NOBODY = frozenset({Role.ANONYMOUS, Role.LINK_HOLDER})
"""Who is not signed in, and has no pages but this."""


class Pages:
    """Renders templates into answers. The headers that every answer carries come from `tracker/web/edge`."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self._env = environment(assets)

    def text(self, template: str, **context: object) -> str:
        """The template as text."""
        return self._env.get_template(template).render(**context)

    def answer(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The template as an answer: it knows the company, who looks, and the token for its forms."""
        guard, house = guard_of(request), house_of(request)
        actor: Actor = getattr(request.state, "actor", ANONYMOUS)
        known = {
            "site": site_of(house),
            "demo": guard.public.demo,
            "viewer": actor if actor.role not in NOBODY else None,
            "form_token": guard.form_token(request),
        }
        body = self.text(template, **(known | context))
        return HTMLResponse(body, status, headers={"Cache-Control": "no-store", **(headers or {})})
