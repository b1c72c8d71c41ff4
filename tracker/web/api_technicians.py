"""JSON doors for staff and programs: technicians with their week, skills, territories and absences (B4, B7)."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.catalog import absences, staffing
from tracker.actions.catalog.editing import tag
from tracker.domain import weekly
from tracker.domain.duty import WeekHours
from tracker.records.staffing import Absence, Member
from tracker.web.api_catalog import change, read, write
from tracker.web.bodies import Moment, body_of, json_answer, seen_of, within_reach
from tracker.web.catalog_answers import Ids, Name, said
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

PAGE = 100
"""Technicians in one answer."""

type Text = Annotated[str, msgspec.Meta(max_length=100)]
type Clock = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{2}:[0-9]{2}$")]


class Stretch(msgspec.Struct, forbid_unknown_fields=True):
    """A stretch of the week: ``weekday`` 1 (Monday) to 7, ``starts``, ``ends`` as 08:00. One that ends earlier than it
    begins ends on the next day; 24:00 is the end of the day."""

    weekday: Annotated[int, msgspec.Meta(ge=1, le=7)]
    starts: Clock
    ends: Clock


type Week = Annotated[list[Stretch], msgspec.Meta(max_length=weekly.MOST)]


class HomeBase(msgspec.Struct, forbid_unknown_fields=True):
    """Where the day begins, in degrees (WGS84)."""

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class NewTechnicianBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new technician. Without ``zone`` that of the home base; without ``territories`` everywhere."""

    name: Name
    zone: Text | None = None
    home: HomeBase | None = None
    title: Text | None = None
    vehicle: Text | None = None
    plate: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    active: bool = True
    skills: Ids = []
    territories: Ids = []
    hours: Week = []
    breaks: Week = []


class TechnicianChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to change; what is absent stays, null empties, lists are replaced whole."""

    name: Name | UnsetType = UNSET
    zone: Text | UnsetType = UNSET
    home: HomeBase | UnsetType | None = UNSET
    title: Text | UnsetType | None = UNSET
    vehicle: Text | UnsetType | None = UNSET
    plate: Annotated[str, msgspec.Meta(max_length=16)] | UnsetType | None = UNSET
    phone: Annotated[str, msgspec.Meta(max_length=32)] | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    skills: Ids | UnsetType = UNSET
    territories: Ids | UnsetType = UNSET
    hours: Week | UnsetType = UNSET
    breaks: Week | UnsetType = UNSET


class AbsenceBody(msgspec.Struct, forbid_unknown_fields=True):
    """When somebody is away."""

    starts_at: Moment
    ends_at: Moment
    reason: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class AbsenceAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An absence. ``promised``: appointments within it; they stay until somebody moves them or hands them over."""

    id: str
    starts_at: datetime
    ends_at: datetime
    reason: str | None = None
    promised: list[str] = []


class TechnicianLineAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A technician as staff plan with them; what is not known is absent."""

    id: str
    name: str
    zone: str
    active: bool
    skills: list[str]
    territories: list[str]
    hours: list[Stretch]
    breaks: list[Stretch]
    home: HomeBase | None = None
    title: str | None = None
    vehicle: str | None = None
    plate: str | None = None
    phone: str | None = None


class TechnicianAnswer(msgspec.Struct):
    """A technician, the absences that are not over, and the appointments that are ``promised`` from now on."""

    technician: TechnicianLineAnswer
    absences: list[AbsenceAnswer]
    promised: list[str]


class TechniciansAnswer(msgspec.Struct):
    """Technicians by name. ``after`` is what to ask with for the next ones; null: these are the last."""

    technicians: list[TechnicianLineAnswer]
    after: str | None


def operations() -> list[Operation]:
    """The doors of this module."""
    every, one = "/api/v1/technicians", "/api/v1/technicians/{technician}"
    return [
        read("GET", every, list_technicians, answer=TechniciansAnswer, query=("query", "after")),
        write("POST", every, add_technician, answer=TechnicianAnswer, body=NewTechnicianBody, status=201),
        read("GET", one, read_technician, answer=TechnicianAnswer),
        change("PATCH", one, change_technician, answer=TechnicianAnswer, body=TechnicianChangeBody, refusals=(409, 412)),
        write("POST", f"{one}/absences", add_absence, answer=AbsenceAnswer, body=AbsenceBody, status=201, refusals=(409,)),
        write("DELETE", "/api/v1/absences/{absence}", remove_absence, answer=None, status=204),
    ]


async def list_technicians(request: Request) -> Response:
    """Technicians by name, active or not; those with ``query`` in it, behind the one called ``after``."""
    asked = request.query_params
    found = await staffing.find_technicians(
        house_of(request), actor_of(request), asked.get("query", ""), PAGE, asked.get("after", "")
    )
    return json_answer(TechniciansAnswer([_line(one) for one in found], found[-1].id if len(found) == PAGE else None))


async def add_technician(request: Request) -> Response:
    """Add a technician: 201."""
    body = await body_of(request, NewTechnicianBody)
    made = await staffing.add_technician(house_of(request), actor_of(request), **_fields(body))
    return await _whole(request, made.id, 201)


async def read_technician(request: Request) -> Response:
    """A technician with absences, the state (without absences) as ETag."""
    return await _whole(request, request.path_params["technician"])


async def change_technician(request: Request) -> Response:
    """Change a technician, or take them out of use: they leave the map at once, their phones are not heard any more.

    With If-Match only the state that was seen (412), else the last writer wins, field by field.
    """
    body, technician = await body_of(request, TechnicianChangeBody), request.path_params["technician"]
    await staffing.change_technician(house_of(request), actor_of(request), technician, seen_of(request), **_fields(body))
    return await _whole(request, technician)


async def add_absence(request: Request) -> Response:
    """Add an absence: 201; ``promised`` names the appointments that lie in it. 409 `away_already` if another one lies upon it."""
    body, technician = await body_of(request, AbsenceBody), request.path_params["technician"]
    starts_at, ends_at = within_reach(body.starts_at, "starts_at"), within_reach(body.ends_at, "ends_at")
    away = await absences.add_absence(house_of(request), actor_of(request), technician, starts_at, ends_at, body.reason)
    return json_answer(_absence(away.absence, away.promised), 201)


async def remove_absence(request: Request) -> Response:
    """Take an absence back: 204."""
    await absences.remove_absence(house_of(request), actor_of(request), request.path_params["absence"])
    return Response(status_code=204)


def _fields(body: NewTechnicianBody | TechnicianChangeBody) -> dict[str, object]:
    """As the actions take them."""
    fields = said(body)
    if "home" in fields:
        home = fields.pop("home")
        fields |= {"home_lat": home and home.lat, "home_lon": home and home.lon}
    for name in fields.keys() & {"hours", "breaks"}:
        fields[name] = tuple([weekly.stretch(one.weekday - 1, one.starts, one.ends) for one in fields[name]])
    return fields


async def _whole(request: Request, technician: str, status: int = 200) -> Response:
    found = await staffing.technician(house_of(request), actor_of(request), technician)
    answer = TechnicianAnswer(_line(found.member), [_absence(each) for each in found.absences], found.promised)
    return json_answer(answer, status, etag=tag(found.member))


def _line(one: Member) -> TechnicianLineAnswer:
    return TechnicianLineAnswer(
        id=one.id,
        name=one.name,
        zone=one.zone,
        active=one.active,
        skills=list(one.skills),
        territories=list(one.territories),
        hours=[_stretch(each) for each in one.hours],
        breaks=[_stretch(each) for each in one.breaks],
        home=None if one.home_lat is None or one.home_lon is None else HomeBase(one.home_lat, one.home_lon),
        title=one.title,
        vehicle=one.vehicle,
        plate=one.plate,
        phone=one.phone,
    )


def _stretch(one: WeekHours) -> Stretch:
    return Stretch(one.weekday + 1, weekly.clock(one.starts), weekly.clock(one.ends))


def _absence(one: Absence, promised: list[str] | None = None) -> AbsenceAnswer:
    return AbsenceAnswer(id=one.id, starts_at=one.starts_at, ends_at=one.ends_at, reason=one.reason, promised=promised or [])
