"""How visits were: customers say it once, may change it until staff read it, and staff read it (A8)."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from tracker.actions.agenda import LONGEST, appointment_for
from tracker.actions.house import House
from tracker.actions.staff import only_staff
from tracker.domain import surveys as rules
from tracker.domain.accounts import Actor
from tracker.errors import BadInput, NotAllowed, NotFound
from tracker.records import appointments, audit, surveys
from tracker.records.appointments import Appointment
from tracker.records.database import Transaction
from tracker.records.surveys import Result, Survey

NO_FEEDBACK = "Nobody has sent feedback on this visit yet."


class Asked(NamedTuple):
    """A visit, what was said of it, and whether whoever looks can say it (again) now."""

    appointment: Appointment
    survey: Survey | None
    open: bool


async def survey_of(house: House, actor: Actor, appointment: str) -> Asked:
    """The survey of a visit for those who may answer it and for staff; looking does not count as reading.

    `NotFound` for a visit that is not theirs, `NotAllowed` for others who know of it.
    """
    found = await appointment_for(house, actor, appointment)
    answers = rules.may_answer(actor, found)
    if not (answers or actor.staff):
        raise NotAllowed
    async with house.db.reading() as tx:
        survey = await surveys.of_appointment(tx, appointment)
    read_at = survey.read_at if survey else None
    return Asked(found, survey, answers and rules.is_open(found.state, read_at, house.settings.now))


async def answer(house: House, actor: Actor, appointment: str, stars: int, comment: str | None) -> Survey:
    """Say how a visit was, or say it anew; the survey as it stands now.

    Errors: NotFound, NotAllowed, BadInput, SurveysOff, NotCompleted, FeedbackRead.
    """
    stars, comment = rules.checked(stars, comment)
    found = await appointment_for(house, actor, appointment)
    if not rules.may_answer(actor, found):
        raise NotAllowed

    async def write(tx: Transaction) -> Survey:
        now, (visit, before) = house.clock(), await _locked(tx, appointment)
        rules.check_open(visit.state, before.read_at if before else None, house.settings.now)
        survey = Survey(
            appointment_id=appointment,
            stars=stars,
            comment=comment,
            answered_by=actor.signed,
            answered_at=before.answered_at if before else now,
            changed_at=now,
        )
        await surveys.keep(tx, survey)
        return survey

    return await house.db.retrying(write)


async def read(house: House, actor: Actor, appointment: str) -> Survey:
    """Read what was said: from now on it stands. Staff only; `NotFound` if nothing was said."""
    only_staff(actor)

    async def mark(tx: Transaction) -> Survey:
        now = house.clock()
        await _locked(tx, appointment)
        if await surveys.mark_read(tx, appointment, actor.signed, now):
            await audit.write(tx, now, actor.signed, "survey.read", appointment)
        survey = await surveys.of_appointment(tx, appointment)
        if survey is None:
            raise NotFound(NO_FEEDBACK)
        return survey

    return await house.db.retrying(mark)


async def results(house: House, actor: Actor, start: datetime, end: datetime) -> list[Result]:
    """What was said with start ≤ moment < end, the newest first, read or not. Staff only."""
    only_staff(actor)
    if not start < end <= start + LONGEST:
        raise BadInput(f"Ask for at most {LONGEST.days} days, the end after the start.")
    async with house.db.reading() as tx:
        return await surveys.between(tx, start, end)


async def said_of(house: House, visits: Collection[str]) -> dict[str, Survey]:
    """What was said of visits that the caller may see, by appointment."""
    if not visits:
        return {}
    async with house.db.reading() as tx:
        return await surveys.of_appointments(tx, visits)


async def _locked(tx: Transaction, appointment: str) -> tuple[Appointment, Survey | None]:
    """The visit's row locked: an answer, its reading and an undone completion wait for each other."""
    visit = await appointments.locked(tx, appointment)
    if visit is None:
        raise NotFound
    return visit, await surveys.of_appointment(tx, appointment)
