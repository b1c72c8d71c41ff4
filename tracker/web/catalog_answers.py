"""What the JSON doors for service types, skills, territories, closed days and account rules take and give."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tracker.actions.people.customers import LONGEST_NAME
from tracker.records.areas import Territory
from tracker.records.constraints import AccountRules, ClosedDay
from tracker.records.offerings import Offering, Skill

type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
type Id = Annotated[str, msgspec.Meta(max_length=64)]
type Ids = Annotated[list[Id], msgspec.Meta(max_length=500)]
type Description = Annotated[str, msgspec.Meta(max_length=1000)]
type Minutes = Annotated[int, msgspec.Meta(ge=5, le=1440)]
type Crew = Annotated[int, msgspec.Meta(ge=1, le=20)]


def said(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body has; lists as the records keep them."""
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in fields.items()
        if not isinstance(value, UnsetType)
    }


class ServiceTypeBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new service type. ``crew``: technicians needed; ``skills``: all of them are; ``accounts``: whose, if not ``for_all``."""

    name: Name
    duration_min: Minutes
    description: Description | None = None
    active: bool = True
    self_schedulable: bool = True
    crew: Crew = 1
    for_all: bool = True
    skills: Ids = []
    accounts: Ids = []


class ServiceTypeChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to change; what is absent stays, lists are replaced whole."""

    name: Name | UnsetType = UNSET
    duration_min: Minutes | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    active: bool | UnsetType = UNSET
    self_schedulable: bool | UnsetType = UNSET
    crew: Crew | UnsetType = UNSET
    for_all: bool | UnsetType = UNSET
    skills: Ids | UnsetType = UNSET
    accounts: Ids | UnsetType = UNSET


class ServiceTypeAnswer(msgspec.Struct, kw_only=True):
    """A service type."""

    id: str
    name: str
    duration_min: int
    description: str | None
    active: bool
    self_schedulable: bool
    crew: int
    for_all: bool
    skills: list[str]
    accounts: list[str]


class ServiceTypesAnswer(msgspec.Struct):
    """Every service type, active or not, by name."""

    service_types: list[ServiceTypeAnswer]


class SkillBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a skill is called."""

    name: Name


class SkillAnswer(msgspec.Struct):
    """A skill."""

    id: str
    name: str


class SkillsAnswer(msgspec.Struct):
    """Every skill by name."""

    skills: list[SkillAnswer]


class AreaBody(msgspec.Struct):
    """A GeoJSON geometry: corners are [longitude, latitude] in degrees, each ring closed. What else it says is not read."""

    type: Literal["Polygon", "MultiPolygon"]
    coordinates: list[Any]


class TerritoryBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new territory."""

    name: Name
    area: AreaBody
    active: bool = True


class TerritoryChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to change; what is absent or null stays."""

    name: Name | None = None
    area: AreaBody | None = None
    active: bool | None = None


class TerritoryAnswer(msgspec.Struct, kw_only=True):
    """A territory; ``version`` rises with each change of the area."""

    id: str
    name: str
    active: bool
    version: int
    area: AreaBody


class TerritoryLineAnswer(msgspec.Struct, kw_only=True):
    """A territory without its area, but with the box round it in degrees."""

    id: str
    name: str
    active: bool
    version: int
    south: float
    west: float
    north: float
    east: float


class TerritoriesAnswer(msgspec.Struct):
    """Every territory, active or not, by name."""

    territories: list[TerritoryLineAnswer]


class ClosedDayBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why the day is closed, in words."""

    name: Name


class ClosedDayAnswer(msgspec.Struct):
    """A day on which nobody begins to work."""

    day: date
    name: str


class ClosedDaysAnswer(msgspec.Struct):
    """The company's own closed days that are not over; the public holidays of the setting come on top."""

    closed_days: list[ClosedDayAnswer]


class AccountTechniciansBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who ``never`` comes to an account and who ``only`` does (none: anybody). Both lists are replaced whole."""

    never: Ids
    only: Ids


class AccountTechniciansAnswer(msgspec.Struct):
    """Who never and who alone comes to an account."""

    never: list[str]
    only: list[str]


type Row = Offering | Skill | Territory | ClosedDay | AccountRules


def shown[T: msgspec.Struct](row: Row, kind: type[T]) -> T:
    """A row as an answer: the fields that the answer has."""
    return msgspec.convert({name: getattr(row, name) for name in kind.__struct_fields__}, kind)
