"""The whole application with everybody at its doors, for the role matrix."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.serving import config_for, free_socket, serving
from tests.web.matrix import Persona, Things
from tests.web.roles import whole_app
from tests.world import NOW, World
from tracker.actions.house import House
from tracker.actions.people import contacts, customers, tokens
from tracker.actions.people.accounts import hashed
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.records import sessions, technicians
from tracker.records.database import new_id
from tracker.records.sessions import Session
from tracker.web.guard import SAFE, Door

ADMIN = Actor(Role.ADMIN, person="admin")


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

    async def session(self, person: str) -> tuple[str, str]:
        """A new session of one of the world's people: its id and the cookie's token."""
        token, times = new_id(), {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + timedelta(days=1)}
        session = Session(id=new_id(), person_id=getattr(self.world, person).id, user_agent=None, **times)
        async with self.house.db.transaction() as tx:
            await sessions.add(tx, session, hashed(token))
        return session.id, token

    async def headers_of(self, persona: Persona) -> dict[str, str]:
        """How this persona shows who it is; a session is made for every request, because some end it."""
        if persona.person:
            return {"Cookie": f"tt={(await self.session(persona.person))[1]}"}
        if persona.phone:
            return {"Authorization": f"Bearer {self.phones[persona.phone]}"}
        if persona.scope:
            return {"Authorization": f"Bearer {self.scoped[persona.scope]}"}
        return {"Cookie": persona.cookie} if persona.cookie else {}

    async def things(self, *, fresh: bool) -> Things:
        """One of each, of the first account, the technician's being Maya; the same again unless they must be fresh."""
        if fresh or self.known is None:
            self.known = await self._made()
        return self.known

    async def _made(self) -> Things:
        world, house = self.world, self.house
        added = await contacts.add_contact(house, ADMIN, world.account, f"{new_id()}@example.org", "Kaisa")
        [invitation] = await contacts.invitations_of(house, ADMIN, added.contact.id)
        return Things(
            account=world.account,
            appointment=await world.appointment(arrival_at=NOW + timedelta(hours=3)),
            asset=(await customers.add_asset(house, ADMIN, world.account, "Pump")).id,
            contact=added.contact.id,
            invitation=invitation.id,
            session=(await self.session("customer"))[0],
            token=(await tokens.add_token(house, ADMIN, "x", ["accounts:read"])).token.id,
            service=world.service,
            technician=world.maya,
            arrival=(NOW + timedelta(days=2)).replace(minute=0).isoformat(),
        )

    async def ask(
        self, route: Door, method: str, persona: Persona, things: Things, body: dict[str, Any] | None
    ) -> httpx.Response:
        """Knock, as this persona's own page, phone or program would."""
        headers = {**await self.headers_of(persona), "Accept": "text/html"}
        path = route.path_format.format(**{name: getattr(things, name, "1") for name in route.param_convertors})
        more: dict[str, Any] = {}
        if method not in SAFE and route.kind == "api":
            more["json"] = body
            headers["If-Match"] = '"1"'
        elif method not in SAFE and route.kind == "page":
            more["data"] = (body or {}) | {"form_token": self.form_token(headers.setdefault("Cookie", "tt-form=" + "y" * 43))}
        self.client.cookies.clear()
        return await self.client.request(method, path, headers=headers, **more)

    def form_token(self, cookie: str) -> str:
        """What a form shown to the owner of this cookie carries."""
        import hmac

        value = re.sub(r"^[\w-]+=", "", cookie)
        return hmac.new(self.house.secret, b"form:" + value.encode(), "sha256").hexdigest()


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
