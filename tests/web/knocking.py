"""The whole application with everybody at its doors, for the role matrix."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from tests.serving import config_for, free_socket, serving
from tests.web.matrix import AREA, Persona, Things
from tests.web.roles import whole_app
from tests.world import NOW, World
from tracker.actions.catalog import absences, areas, constraints, offerings
from tracker.actions.house import House
from tracker.actions.people import contacts, customers, link_care, tokens
from tracker.actions.people.accounts import hashed
from tracker.domain import links as rules
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.links import Kind
from tracker.records import links, outbox, sessions, technicians
from tracker.records.database import new_id
from tracker.records.links import Link
from tracker.records.outbox import Kind as LetterKind
from tracker.records.outbox import Wanted
from tracker.records.sessions import Session
from tracker.web.guard import SAFE, Door

FORM = "tt-form=" + "y" * 43
ADMIN = Actor(Role.ADMIN, person="admin")


async def letter_link(house: House, appointment: str, kind: Kind = Kind.LETTER) -> str:
    """The token of a link to an appointment, as a letter would carry it."""
    link = Link(id=new_id(), appointment_id=appointment, kind=kind, created_by="letter", created_at=NOW)
    token = rules.token_of(house.secret, link.id)
    async with house.db.transaction() as tx:
        await links.add(tx, link, rules.fingerprint(house.secret, token))
    return token


@dataclass
class Site:
    """What is served, and keys for everybody."""

    client: httpx.AsyncClient
    app: Any
    house: House
    world: World
    phones: dict[str, str]
    scoped: dict[str, str]
    known: Things | None = None
    signed_in: dict[str, str] = field(default_factory=dict)

    async def session(self, person: str) -> tuple[str, str]:
        """A new session of one of the world's people: its id and the cookie's token."""
        token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
        session = Session(id=new_id(), person_id=getattr(self.world, person).id, user_agent=None, **times)
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, session, hashed(token))
        return session.id, token

    async def headers_of(self, persona: Persona, appointment: str = "") -> dict[str, str]:
        """How this persona shows who it is; their session is a new one after every request that may have ended it."""
        if persona.link and appointment:
            opened = appointment if persona.link == "own" else await self.world.appointment(self.world.onni)
            return {"Cookie": f"tt-v-{appointment}={await letter_link(self.house, opened)}; {FORM}"}
        if persona.person:
            if persona.person not in self.signed_in:
                self.signed_in[persona.person] = (await self.session(persona.person))[1]
            return {"Cookie": f"tt={self.signed_in[persona.person]}"}
        if persona.phone:
            return {"Authorization": f"Bearer {self.phones[persona.phone]}"}
        if persona.scope:
            return {"Authorization": f"Bearer {self.scoped[persona.scope]}"}
        return {"Cookie": persona.cookie} if persona.cookie else {}

    async def things(self, fresh: Collection[str] = ()) -> Things:
        """One of each, of the first account, the technician's being Maya; the same again but for those that must be ``fresh``."""
        names = fresh if self.known else MAKERS.keys()
        world = self.world
        base = self.known or Things(account=world.account, technician=world.maya, service=world.service, arrival=ARRIVAL)
        made = {name: await MAKERS[name](self) for name in names if name in MAKERS}
        self.known = replace(base, service_type=world.service, **made)
        return self.known

    async def ask(
        self, route: Door, method: str, persona: Persona, things: Things, body: dict[str, Any] | None
    ) -> httpx.Response:
        """Knock, as this persona's own page, phone or program would."""
        headers = {**await self.headers_of(persona, things.appointment), "Accept": "text/html"}
        path = route.path_format.format(**{name: getattr(things, name, "1") for name in route.param_convertors})
        more: dict[str, Any] = {}
        if method not in SAFE and route.kind == "api":
            more["json"] = body
            if "appointment" in route.param_convertors:
                headers["If-Match"] = '"1"'
        elif method not in SAFE and route.kind == "page":
            more["data"] = (body or {}) | {"form_token": self.form_token(headers.setdefault("Cookie", FORM))}
        self.client.cookies.clear()
        answer = await self.client.request(method, path, headers=headers, **more)
        if method not in SAFE and answer.status_code < 400:
            self.signed_in.pop(persona.person, None)
        return answer

    def form_token(self, cookie: str) -> str:
        """What a form shown to the owner of this cookie carries."""
        import hmac

        value = re.sub(r"^(.*; )?[\w-]+=", "", cookie)
        return hmac.new(self.house.secret, b"form:" + value.encode(), "sha256").hexdigest()


ARRIVAL = (NOW + timedelta(days=2)).replace(minute=0).isoformat()
CLOSED = NOW.date() + timedelta(days=7)


async def _contact(site: Site) -> str:
    return (await contacts.add_contact(site.house, ADMIN, site.world.account, f"{new_id()}@example.org", "Kaisa")).contact.id


async def _invitation(site: Site) -> str:
    [invitation] = await contacts.invitations_of(site.house, ADMIN, await _contact(site))
    return invitation.id


async def _letter(site: Site) -> str:
    async with site.house.db.transaction() as tx:
        await outbox.add(tx, LetterKind.CHANGED, new_id(), site.world.customer.email, NOW)
        return (await outbox.latest(tx, 1, Wanted(kind=LetterKind.CHANGED)))[0].id


_HOUR = count()


async def _absence(site: Site) -> str:
    starts = NOW + timedelta(hours=next(_HOUR))  # absences do not lie upon each other
    return (await absences.add_absence(site.house, ADMIN, site.world.onni, starts, starts + timedelta(hours=1))).absence.id


async def _asset(site: Site) -> str:
    return (await customers.add_asset(site.house, ADMIN, site.world.account, "Pump")).id


async def _appointment(site: Site) -> str:
    return await site.world.appointment(arrival_at=NOW + timedelta(hours=3))


async def _session(site: Site) -> str:
    return (await site.session("customer"))[0]


async def _token(site: Site) -> str:
    return (await tokens.add_token(site.house, ADMIN, "x", ["accounts:read"])).token.id


async def _skill(site: Site) -> str:
    return (await offerings.add_skill(site.house, ADMIN, new_id())).id


async def _territory(site: Site) -> str:
    return (await areas.add_territory(site.house, ADMIN, new_id(), AREA)).id


async def _day(site: Site) -> str:
    return str((await constraints.close_day(site.house, ADMIN, CLOSED, "Stocktaking")).day)


async def _link(site: Site) -> str:
    anna = Actor(Role.CUSTOMER, site.world.customer.id, accounts=frozenset({site.world.account}))
    return (await link_care.share(site.house, anna, await _appointment(site))).link.id


MAKERS: dict[str, Callable[[Site], Awaitable[str]]] = {
    "absence": _absence,
    "appointment": _appointment,
    "asset": _asset,
    "contact": _contact,
    "day": _day,
    "invitation": _invitation,
    "link": _link,
    "letter": _letter,
    "session": _session,
    "skill": _skill,
    "territory": _territory,
    "token": _token,
}
"""How a sample of each thing is made anew: a request may use it up."""


@asynccontextmanager
async def whole_site(house: House, world: World, tmp_path: Path) -> AsyncIterator[Site]:
    """Serve it. Every phone and every scope has its token."""
    phones = {}
    async with house.db.transaction() as tx:
        for name, owner in (("phone", world.maya), ("other_phone", world.onni)):
            phones[name] = f"token-of-{name}"
            await technicians.add_device(tx, owner, name, NOW, token_hash=hashed(phones[name]))
    from tests.web.matrix import EVERY_SCOPE

    scoped = {scope: (await tokens.add_token(house, ADMIN, scope, [scope])).secret for scope in EVERY_SCOPE}
    bound = free_socket()
    app = whole_app(house, config_for(bound, tmp_path))
    async with serving(app, bound) as client:
        yield Site(client, app, house, world, phones, scoped)
