"""How visits were, for programs: customers say it, staff list and read it (docs/openapi.json)."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tracker.actions import surveys
from tracker.domain.accounts import Actor
from tracker.domain.appointments import STAFF, Role
from tracker.domain.surveys import MOST_COMMENT
from tracker.errors import NotFound
from tracker.records.surveys import Result, Survey
from tracker.web.bodies import body_of, json_answer, moment_of
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

WHO = frozenset({Role.CUSTOMER})


class SurveyBody(msgspec.Struct, forbid_unknown_fields=True):
    """How the visit was: 1 (poor) to 5 (great), and why."""

    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    comment: Annotated[str, msgspec.Meta(max_length=MOST_COMMENT)] | None = None


class SurveyAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What was said of a visit. ``comment`` is absent for staff who have not read it; once ``read_at`` is there it stands."""

    appointment_id: str
    stars: int
    answered_at: datetime
    changed_at: datetime
    comment: str | None = None
    read_at: datetime | None = None
    booking_id: str | None = None
    service: str | None = None
    technician_id: str | None = None


class SurveysAnswer(msgspec.Struct):
    """What was said, the newest first, and the average number of stars (null if nothing was)."""

    surveys: list[SurveyAnswer]
    average: float | None


def operations() -> list[Operation]:
    """The doors of this module."""
    one, read, write = "/api/v1/appointments/{appointment}/survey", "appointments:read", "appointments:write"
    return [
        Operation("GET", "/api/v1/surveys", results, STAFF, SurveysAnswer, query=("from", "to"), scope=read),
        Operation("GET", one, look, WHO | STAFF, SurveyAnswer, scope=read),
        Operation("PUT", one, answer, WHO, SurveyAnswer, SurveyBody, refusals=(409,)),
        Operation("POST", f"{one}/read", mark_read, STAFF, SurveyAnswer, scope=write),
    ]


async def results(request: Request) -> Response:
    """What was said from ``from`` (now − 31 days) to ``to`` (``from`` + 62 days). Listing is not reading: comments nobody
    has read yet are not in it."""
    house = house_of(request)
    start = moment_of(request, "from") or house.clock() - timedelta(days=31)
    end = moment_of(request, "to") or start + timedelta(days=62)
    found = await surveys.results(house, actor_of(request), start, end)
    stars = [one.survey.stars for one in found]
    return json_answer(SurveysAnswer([_listed(one) for one in found], round(sum(stars) / len(stars), 2) if stars else None))


async def look(request: Request) -> Response:
    """What was said of a visit."""
    actor = actor_of(request)
    asked = await surveys.survey_of(house_of(request), actor, request.path_params["appointment"])
    if asked.survey is None:
        raise NotFound(surveys.NO_FEEDBACK)
    return json_answer(_public(asked.survey, actor))


async def answer(request: Request) -> Response:
    """Say how a completed visit was, or say it anew: possible until staff read it (409)."""
    body, actor = await body_of(request, SurveyBody), actor_of(request)
    said = await surveys.answer(house_of(request), actor, request.path_params["appointment"], body.stars, body.comment)
    return json_answer(_public(said, actor))


async def mark_read(request: Request) -> Response:
    """Read what was said: from now on it cannot be changed."""
    actor = actor_of(request)
    return json_answer(_public(await surveys.read(house_of(request), actor, request.path_params["appointment"]), actor))


def _public(survey: Survey, actor: Actor) -> SurveyAnswer:
    shown = {name: getattr(survey, name) for name in ("appointment_id", "stars", "answered_at", "changed_at", "read_at")}
    return SurveyAnswer(comment=survey.comment if survey.read_at or not actor.staff else None, **shown)


def _listed(result: Result) -> SurveyAnswer:
    survey = result.survey
    return SurveyAnswer(
        appointment_id=survey.appointment_id,
        stars=survey.stars,
        answered_at=survey.answered_at,
        changed_at=survey.changed_at,
        read_at=survey.read_at,
        comment=survey.comment if survey.read_at else None,
        booking_id=result.booking_id,
        service=result.service,
        technician_id=result.technician_id,
    )
