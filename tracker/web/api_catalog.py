"""JSON doors for staff and programs: what can be booked, where, when not, and who may come to an account (B2, B4, B7)."""

from datetime import date
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.catalog import areas, constraints, offerings
from tracker.actions.catalog.editing import tag
from tracker.domain.appointments import STAFF
from tracker.errors import BadInput
from tracker.records.areas import Territory
from tracker.records.constraints import AccountRules
from tracker.records.offerings import Offering
from tracker.web.bodies import body_of, json_answer, seen_of, within_reach
from tracker.web.catalog_answers import (
    AccountTechniciansAnswer,
    AccountTechniciansBody,
    AreaBody,
    ClosedDayAnswer,
    ClosedDayBody,
    ClosedDaysAnswer,
    ServiceTypeAnswer,
    ServiceTypeBody,
    ServiceTypeChangeBody,
    ServiceTypesAnswer,
    SkillAnswer,
    SkillBody,
    SkillsAnswer,
    TerritoriesAnswer,
    TerritoryAnswer,
    TerritoryBody,
    TerritoryChangeBody,
    TerritoryLineAnswer,
    said,
    shown,
)
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

AREA_BYTES = 1024 * 1024
"""A territory of many corners is larger than other bodies."""

read = partial(Operation, roles=STAFF, scope="catalog:read")
write = partial(Operation, roles=STAFF, scope="catalog:write", most_bytes=64 * 1024)
change = partial(write, headers=("If-Match",), refusals=(412,))


def operations() -> list[Operation]:
    """The doors of this module."""
    api = "/api/v1"
    service, skill = f"{api}/service-types/{{service_type}}", f"{api}/skills/{{skill}}"
    territory, day = f"{api}/territories/{{territory}}", f"{api}/closed-days/{{day}}"
    rules = f"{api}/accounts/{{account}}/technicians"
    drawn, named = partial(write, most_bytes=AREA_BYTES, refusals=(409,)), partial(write, refusals=(409,))
    return [
        read("GET", f"{api}/service-types", list_services, answer=ServiceTypesAnswer),
        write("POST", f"{api}/service-types", add_service, answer=ServiceTypeAnswer, body=ServiceTypeBody, status=201),
        read("GET", service, read_service, answer=ServiceTypeAnswer),
        change("PATCH", service, change_service, answer=ServiceTypeAnswer, body=ServiceTypeChangeBody),
        read("GET", f"{api}/skills", list_skills, answer=SkillsAnswer),
        named("POST", f"{api}/skills", add_skill, answer=SkillAnswer, body=SkillBody, status=201),
        named("PATCH", skill, rename_skill, answer=SkillAnswer, body=SkillBody),
        named("DELETE", skill, remove_skill, answer=None, status=204),
        read("GET", f"{api}/territories", list_territories, answer=TerritoriesAnswer),
        drawn("POST", f"{api}/territories", add_territory, answer=TerritoryAnswer, body=TerritoryBody, status=201),
        read("GET", territory, read_territory, answer=TerritoryAnswer),
        drawn(
            "PATCH",
            territory,
            change_territory,
            answer=TerritoryAnswer,
            body=TerritoryChangeBody,
            headers=("If-Match",),
            refusals=(409, 412),
        ),
        named("DELETE", territory, remove_territory, answer=None, status=204),
        read("GET", f"{api}/closed-days", list_closed_days, answer=ClosedDaysAnswer),
        write("PUT", day, close_day, answer=ClosedDayAnswer, body=ClosedDayBody),
        write("DELETE", day, open_day, answer=None, status=204, refusals=(422,)),
        read("GET", rules, read_account_technicians, answer=AccountTechniciansAnswer),
        change("PUT", rules, set_account_technicians, answer=AccountTechniciansAnswer, body=AccountTechniciansBody),
    ]


# -- service types and skills ------------------------------------------------------------------------------------------


async def list_services(request: Request) -> Response:
    """Every service type, active or not, by name."""
    found = await offerings.services(house_of(request), actor_of(request))
    return json_answer(ServiceTypesAnswer([shown(one, ServiceTypeAnswer) for one in found]))


async def add_service(request: Request) -> Response:
    """Add a service type: 201."""
    body = await body_of(request, ServiceTypeBody)
    return _service(await offerings.add_service(house_of(request), actor_of(request), **said(body)), 201)


async def read_service(request: Request) -> Response:
    """One service type, its state as ETag."""
    return _service(await offerings.service(house_of(request), actor_of(request), request.path_params["service_type"]))


async def change_service(request: Request) -> Response:
    """Change a service type, or take it out of use. With If-Match only the state that was seen (412), else the last wins."""
    body, service = await body_of(request, ServiceTypeChangeBody), request.path_params["service_type"]
    house, actor = house_of(request), actor_of(request)
    return _service(await offerings.change_service(house, actor, service, seen_of(request), **said(body)))


async def list_skills(request: Request) -> Response:
    """Every skill by name."""
    found = await offerings.skills(house_of(request), actor_of(request))
    return json_answer(SkillsAnswer([shown(one, SkillAnswer) for one in found]))


async def add_skill(request: Request) -> Response:
    """Add a skill: 201; 409 if there is one of this name."""
    body = await body_of(request, SkillBody)
    return json_answer(shown(await offerings.add_skill(house_of(request), actor_of(request), body.name), SkillAnswer), 201)


async def rename_skill(request: Request) -> Response:
    """Call a skill something else."""
    body, skill = await body_of(request, SkillBody), request.path_params["skill"]
    return json_answer(shown(await offerings.rename_skill(house_of(request), actor_of(request), skill, body.name), SkillAnswer))


async def remove_skill(request: Request) -> Response:
    """Remove a skill: 204; 409 while a service type needs it."""
    await offerings.remove_skill(house_of(request), actor_of(request), request.path_params["skill"])
    return Response(status_code=204)


# -- territories -------------------------------------------------------------------------------------------------------


async def list_territories(request: Request) -> Response:
    """Every territory, active or not, by name, without the areas."""
    found = await areas.territories(house_of(request), actor_of(request))
    return json_answer(TerritoriesAnswer([shown(one, TerritoryLineAnswer) for one in found]))


async def add_territory(request: Request) -> Response:
    """Add a territory: 201; 409 if there is one of this name."""
    body = await body_of(request, TerritoryBody)
    made = await areas.add_territory(
        house_of(request), actor_of(request), body.name, _geojson(body.area) or {}, active=body.active
    )
    return _territory(made, 201)


async def read_territory(request: Request) -> Response:
    """One territory with its area, its state as ETag."""
    return _territory(await areas.territory(house_of(request), actor_of(request), request.path_params["territory"]))


async def change_territory(request: Request) -> Response:
    """Change a territory, or take it out of use. With If-Match only the state that was seen (412), else the last wins."""
    body, territory = await body_of(request, TerritoryChangeBody), request.path_params["territory"]
    house, actor, seen = house_of(request), actor_of(request), seen_of(request)
    changed = await areas.change_territory(
        house, actor, territory, seen, name=body.name, area=_geojson(body.area), active=body.active
    )
    return _territory(changed)


async def remove_territory(request: Request) -> Response:
    """Remove a territory: 204; 409 while technicians serve it."""
    await areas.remove_territory(house_of(request), actor_of(request), request.path_params["territory"])
    return Response(status_code=204)


# -- closed days, account rules ----------------------------------------------------------------------------------------


async def list_closed_days(request: Request) -> Response:
    """The company's own closed days that are not over."""
    found = await constraints.closed_days(house_of(request), actor_of(request))
    return json_answer(ClosedDaysAnswer([shown(one, ClosedDayAnswer) for one in found]))


async def close_day(request: Request) -> Response:
    """Close a day (2026-12-27): nobody begins to work on it."""
    body, day = await body_of(request, ClosedDayBody), _day(request)
    return json_answer(shown(await constraints.close_day(house_of(request), actor_of(request), day, body.name), ClosedDayAnswer))


async def open_day(request: Request) -> Response:
    """Make a closed day one like others again: 204."""
    await constraints.open_day(house_of(request), actor_of(request), _day(request))
    return Response(status_code=204)


async def read_account_technicians(request: Request) -> Response:
    """Who never and who alone comes to an account, the state as ETag."""
    return _rules(await constraints.account_rules(house_of(request), actor_of(request), request.path_params["account"]))


async def set_account_technicians(request: Request) -> Response:
    """Say who never and who alone comes to an account. With If-Match only the state that was seen (412)."""
    body, account = await body_of(request, AccountTechniciansBody), request.path_params["account"]
    house, actor, seen = house_of(request), actor_of(request), seen_of(request)
    return _rules(await constraints.set_account_rules(house, actor, account, body.never, body.only, seen))


def _service(one: Offering, status: int = 200) -> Response:
    return json_answer(shown(one, ServiceTypeAnswer), status, etag=tag(one))


def _territory(one: Territory, status: int = 200) -> Response:
    return json_answer(shown(one, TerritoryAnswer), status, etag=tag(one))


def _rules(found: AccountRules) -> Response:
    return json_answer(shown(found, AccountTechniciansAnswer), etag=tag(found))


def _geojson(area: AreaBody | None) -> dict[str, object] | None:
    return None if area is None else {"type": area.type, "coordinates": area.coordinates}


def _day(request: Request) -> date:
    try:
        return within_reach(date.fromisoformat(request.path_params["day"]), "day")
    except ValueError:
        raise BadInput("A day reads like 2026-12-27.") from None
