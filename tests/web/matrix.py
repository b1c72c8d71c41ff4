"""The role matrix's own half: who is who, whose things are whose, and what is sent to each door (F23).

A door whose path names a new kind of thing, or that takes a body and has no row in `SAMPLES`, and a frame of a socket
without a row in `FRAMES`, make `test_roles.py` fail: whoever adds one says here whose it is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracker.domain.appointments import Role
from tracker.domain.scopes import SCOPES

EVERY_SCOPE = tuple(SCOPES)


@dataclass(frozen=True)
class Persona:
    """Somebody who knocks. ``person``: a field of `World`, ``phone``: whose; ``scope``: of the API token they show.

    ``link``: of which appointment's link the token is that they show for the sample's: ``own`` or ``another``.
    """

    name: str
    role: Role
    person: str = ""
    phone: str = ""
    scope: str = ""
    cookie: str = ""
    link: str = ""

    @property
    def bearer(self) -> bool:
        return bool(self.phone or self.scope)


PERSONAS = (
    Persona("nobody", Role.ANONYMOUS),
    Persona("forged cookie", Role.ANONYMOUS, cookie="tt=" + "x" * 43),
    Persona("customer", Role.CUSTOMER, person="customer"),
    Persona("another account's", Role.CUSTOMER, person="stranger"),
    Persona("link holder", Role.LINK_HOLDER, link="own"),
    Persona("another link's", Role.LINK_HOLDER, link="another"),
    Persona("technician", Role.TECHNICIAN, person="technician"),
    Persona("another technician", Role.TECHNICIAN, person="colleague"),
    Persona("dispatcher", Role.DISPATCHER, person="dispatcher"),
    Persona("admin", Role.ADMIN, person="admin"),
    Persona("phone", Role.TECHNICIAN, phone="phone"),
    Persona("another phone", Role.TECHNICIAN, phone="other_phone"),
    *(Persona(f"token {scope}", Role.DISPATCHER, scope=scope) for scope in EVERY_SCOPE),
)

_STAFF = frozenset({"dispatcher", "admin", *(f"token {scope}" for scope in EVERY_SCOPE)})
WHOSE: Mapping[str, frozenset[str]] = {
    "absence": _STAFF,
    "appointment": _STAFF | {"customer", "link holder", "technician", "phone"},
    "account": _STAFF | {"customer"},
    "asset": _STAFF,
    "contact": _STAFF,
    "invitation": _STAFF,
    "link": _STAFF | {"customer"},
    "letter": _STAFF,
    "service_type": _STAFF,
    "session": frozenset({"customer"}),
    "skill": _STAFF,
    "technician": _STAFF,
    "territory": _STAFF,
    "token": frozenset({"admin"}),
}
"""Of each thing that a path names, whose the tests' sample is; to everybody else it is "not found"."""

FREE = frozenset({"day", "name", "version", "x", "y", "z"})
"""Parameters that name nothing of anybody's."""


@dataclass
class Things:
    """The samples: fresh for every request that may change them."""

    absence: str = ""
    account: str = ""
    appointment: str = ""
    asset: str = ""
    contact: str = ""
    invitation: str = ""
    link: str = ""
    letter: str = ""
    session: str = ""
    token: str = ""
    day: str = "2026-12-27"
    service: str = ""
    service_type: str = ""
    skill: str = ""
    technician: str = ""
    territory: str = ""
    arrival: str = ""
    more: dict[str, str] = field(default_factory=dict)


type Body = Callable[[Things], dict[str, Any]]


def nothing(_things: Things) -> dict[str, Any]:
    return {}


PLACE = {"address": "Esimerkkikatu 2", "lat": 60.2, "lon": 24.9}
AREA = {"type": "Polygon", "coordinates": [[[24, 60], [25, 60], [25, 61], [24, 60]]]}
AN_ABSENCE = {"starts_at": "2026-12-01T08:00:00Z", "ends_at": "2026-12-02T08:00:00Z"}
A_TOKEN = {"name": "x", "scopes": ["accounts:read"]}
A_BOOKING: Body = lambda it: {"account": it.account, "service_type": it.service, "arrival_at": it.arrival}  # noqa: E731
SAMPLES: Mapping[tuple[str, str], Body] = {
    ("POST", "/accounts/{account}/address"): lambda _: {name: str(value) for name, value in PLACE.items()},
    ("POST", "/accounts/{account}/address/find"): lambda _: {"typed": "Esimerkkikatu 2"},
    ("POST", "/account"): lambda it: {"account": it.account},
    ("POST", "/book"): lambda it: {"account": it.account, "service": it.service, "arrival": it.arrival},
    ("POST", "/appointments/{appointment}/cancel"): lambda _: {"reason": "It works again."},
    ("POST", "/appointments/{appointment}/feedback"): lambda _: {"stars": "4", "comment": ""},
    ("POST", "/appointments/{appointment}/feedback/read"): nothing,
    ("POST", "/appointments/{appointment}/modify"): lambda it: {"arrival": it.arrival},
    ("POST", "/appointments/{appointment}/links"): lambda _: {"name": "Grandma"},
    ("POST", "/appointments/{appointment}/links/{link}/end"): nothing,
    ("POST", "/forgot"): lambda _: {"email": "nobody@example.org"},
    ("POST", "/profile"): lambda _: {"name": "Anna", "phone": "", "zone": ""},
    ("POST", "/redeem"): lambda _: {"code": "0000-0000-0000", "email": "x@example.org", "password": "x"},
    ("POST", "/reset"): lambda _: {"code": "0000-0000", "password": "x"},
    ("POST", "/sessions/end-others"): nothing,
    ("POST", "/sessions/{session}/end"): nothing,
    ("POST", "/sign-in"): lambda _: {"email": "nobody@example.org", "password": "wrong"},
    ("POST", "/sign-out"): nothing,
    ("DELETE", "/api/v1/absences/{absence}"): nothing,
    ("PUT", "/api/v1/accounts/{account}/technicians"): lambda it: {"never": [], "only": [it.technician]},
    ("PUT", "/api/v1/closed-days/{day}"): lambda _: {"name": "Stocktaking"},
    ("DELETE", "/api/v1/closed-days/{day}"): nothing,
    ("POST", "/api/v1/service-types"): lambda _: {"name": "Inspection", "duration_min": 60},
    ("PATCH", "/api/v1/service-types/{service_type}"): lambda _: {"description": "Once a year."},
    ("POST", "/api/v1/skills"): lambda it: {"name": f"Like {it.skill}"},
    ("PATCH", "/api/v1/skills/{skill}"): lambda it: {"name": f"Like {it.skill}"},
    ("DELETE", "/api/v1/skills/{skill}"): nothing,
    ("PATCH", "/api/v1/settings"): lambda _: {"desk_hours": "8 to 16"},
    ("POST", "/api/v1/technicians"): lambda _: {"name": "Kaisa", "zone": "Europe/Helsinki"},
    ("PATCH", "/api/v1/technicians/{technician}"): lambda _: {"title": "Heat pump technician"},
    ("POST", "/api/v1/technicians/{technician}/absences"): lambda _: AN_ABSENCE,
    ("POST", "/api/v1/territories"): lambda it: {"name": f"Like {it.territory}", "area": AREA},
    ("PATCH", "/api/v1/territories/{territory}"): lambda _: {"area": AREA},
    ("DELETE", "/api/v1/territories/{territory}"): nothing,
    ("POST", "/api/v1/accounts"): lambda _: {"name": "Uusi"},
    ("PATCH", "/api/v1/accounts/{account}"): lambda _: {"active": True},
    ("POST", "/api/v1/accounts/{account}/assets"): lambda _: {"name": "Pump"},
    ("POST", "/api/v1/accounts/{account}/contacts"): lambda _: {"name": "Only Called"},
    ("POST", "/api/v1/accounts/{account}/locations"): lambda _: {"name": "Barn", "place": PLACE},
    ("POST", "/api/v1/appointments"): A_BOOKING,
    ("PUT", "/api/v1/appointments/{appointment}/arrival"): lambda it: {"arrival_at": it.arrival},
    ("POST", "/api/v1/appointments/{appointment}/cancel"): lambda _: {"reason": "It works again."},
    ("POST", "/api/v1/appointments/{appointment}/steps"): lambda _: {"step": "cancel", "reason": "It works again."},
    ("PUT", "/api/v1/appointments/{appointment}/informed"): lambda _: {"on": True},
    ("PUT", "/api/v1/appointments/{appointment}/survey"): lambda _: {"stars": 4},
    ("POST", "/api/v1/appointments/{appointment}/survey/read"): nothing,
    ("PUT", "/api/v1/appointments/{appointment}/technician"): lambda it: {"technician": it.technician},
    ("POST", "/api/v1/appointments/{appointment}/links"): lambda _: {"name": "Grandma"},
    ("POST", "/v/new"): lambda _: {"token": "x" * 43},
    ("POST", "/api/v1/links/open"): lambda _: {"token": "x" * 43},
    ("PATCH", "/api/v1/links/{link}"): lambda _: {"blocked": True},
    ("DELETE", "/api/v1/links/{link}"): nothing,
    ("PATCH", "/api/v1/assets/{asset}"): lambda _: {"active": False},
    ("PUT", "/api/v1/booking/hold"): A_BOOKING,
    ("DELETE", "/api/v1/booking/hold"): nothing,
    ("POST", "/api/v1/booking/hold/extend"): nothing,
    ("DELETE", "/api/v1/contacts/{contact}"): nothing,
    ("POST", "/api/v1/contacts/{contact}/invitations"): nothing,
    ("DELETE", "/api/v1/invitations/{invitation}"): nothing,
    ("POST", "/api/v1/letters/{letter}/resend"): nothing,
    ("POST", "/api/v1/sessions"): lambda _: {"email": "nobody@example.org", "password": "wrong"},
    ("DELETE", "/api/v1/sessions"): nothing,
    ("DELETE", "/api/v1/sessions/{session}"): nothing,
    ("PUT", "/api/v1/technician/sharing"): lambda _: {"on": True},
    ("POST", "/api/v1/tokens"): lambda _: A_TOKEN,
    ("DELETE", "/api/v1/tokens/{token}"): nothing,
}
"""What is sent to each door that changes something: so complete that only who asks can stand against it."""

OWN_THINGS = frozenset(
    {("POST", "/account"), ("POST", "/book"), ("POST", "/api/v1/appointments"), ("PUT", "/api/v1/booking/hold")}
)
"""Doors whose body, not path, names the first account: it is "not found" to another account's customer."""

SESSION_ONLY = frozenset({"/api/v1/booking/hold", "/api/v1/booking/hold/extend"})
"""A hold belongs to a session; who comes without one is refused behind the door."""

# -- sockets -----------------------------------------------------------------------------------------------------------

VIEWERS = (
    "customer",
    "another account's",
    "link holder",
    "another link's",
    "technician",
    "another technician",
    "dispatcher",
    "admin",
)
NOBODY = ("nobody", "forged cookie", "link holder", "another link's")
FRAMES: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("/ws/live", "watch"): dict.fromkeys(("customer", "link holder", "technician", "dispatcher", "admin"), "snapshot")
    | dict.fromkeys(("another account's", "another link's", "another technician"), "4403"),
    ("/ws/live", "watchBoard"): dict.fromkeys(VIEWERS, "4403") | {"dispatcher": "snapshot", "admin": "snapshot"},
    ("/ws/live", "seen"): dict.fromkeys(VIEWERS, "1008"),
    ("/ws/technician", "hello"): dict.fromkeys(("technician", "another technician", "phone", "another phone"), "welcome")
    | dict.fromkeys(NOBODY, "4401"),
    ("/ws/technician", "pings"): dict.fromkeys(("technician", "another technician", "phone", "another phone"), "ack")
    | dict.fromkeys(NOBODY, "1008"),
    ("/ws/technician", "step"): {
        "technician": "stepped",
        "phone": "stepped",
        "another technician": "error",
        "another phone": "error",
    }
    | dict.fromkeys(NOBODY, "1008"),
    ("/ws/technician", "sharing"): dict.fromkeys(("technician", "another technician", "phone", "another phone"), "policy")
    | dict.fromkeys(NOBODY, "1008"),
}
"""The answer to each frame a client may send first (to a technician's socket: after its hello), by who sends it.

Whoever is not named is refused before the socket opens: 401 or 403.
"""
