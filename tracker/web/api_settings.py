"""JSON doors for the company's settings (D4)."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions import settings
from tracker.actions.catalog.editing import tag
from tracker.domain.appointments import STAFF, Role
from tracker.records.settings import Settings
from tracker.web.bodies import body_of, json_answer, seen_of
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

SettingsChangeBody: Any = msgspec.defstruct(
    "SettingsChangeBody",
    [(each.name, each.type | UnsetType, UNSET) for each in msgspec.structs.fields(Settings)],
    namespace={"__doc__": "What is to change; what is absent stays."},
    forbid_unknown_fields=True,
    kw_only=True,
)


def operations() -> list[Operation]:
    """The doors of this module."""
    every, admin = "/api/v1/settings", frozenset({Role.ADMIN})
    return [
        Operation("GET", every, read_settings, STAFF, Settings, scope="settings:read"),
        Operation(
            "PATCH",
            every,
            change_settings,
            admin,
            Settings,
            SettingsChangeBody,
            headers=("If-Match",),
            refusals=(412,),
            scope="settings:write",
        ),
    ]


async def read_settings(request: Request) -> Response:
    """Every setting, the state as ETag."""
    found = await settings.read_settings(house_of(request), actor_of(request))
    return json_answer(found, etag=tag(found))


async def change_settings(request: Request) -> Response:
    """Change settings, all that are named or none; every process knows them within two seconds.

    With If-Match only the state that was seen (412).
    """
    body = await body_of(request, SettingsChangeBody)
    said = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    found = await settings.change_settings(house_of(request), actor_of(request), said, seen_of(request))
    return json_answer(found, etag=tag(found))
