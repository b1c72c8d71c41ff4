"""How a visit was: a page of its own for the form that also stands on the completed visit's page; and staff read it (A8)."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from portal_web.chosen_view import chosen_of
from portal_web.forms import text
from portal_web.modify import refused
from portal_web.pages import Pages
from portal_web.sources import visit_of
from tracker.actions import surveys
from tracker.actions.surveys import Asked
from tracker.domain import surveys as rules
from tracker.domain.appointments import STAFF, Role
from tracker.errors import BadInput, FeedbackRead, NotCompleted, Refusal, SurveysOff
from tracker.web.guard import actor_of, door, house_of
from tracker.web.surveys import WHO

NO_STARS = "Choose a number from 1 to 5."
TITLE = "Feedback can’t be sent for this visit"


@dataclass(frozen=True, slots=True)
class FeedbackDoors:
    """`/appointments/{id}/feedback`."""

    pages: Pages

    def routes(self) -> list[BaseRoute]:
        """For whoever may say how it was; reading is for staff."""
        at = "/appointments/{appointment}/feedback"
        return [
            door(at, self.look, roles=WHO | {Role.LINK_HOLDER}, name="feedback"),
            door(at, self.send, roles=WHO | {Role.LINK_HOLDER}, methods=("POST",), name="feedback.post"),
            door(f"{at}/read", self.read, roles=STAFF, methods=("POST",), name="feedback.read"),
        ]

    async def look(self, request: Request) -> Response:
        """The form, with what was said before; or why there is none."""
        asked = await self._asked(request)
        if not asked.open:
            return self._refused(request, asked, 200)
        said = asked.survey
        return self._page(request, asked, said.stars if said else 0, (said.comment if said else None) or "")

    async def send(self, request: Request) -> Response:
        """Keep it; then the visit's page, which says thank you."""
        form, asked = await request.form(), await self._asked(request)
        stars, comment = text(form, "stars"), text(form, "comment")
        chosen = int(stars) if stars in map(str, rules.STARS) else 0
        if not chosen:
            return self._page(request, asked, 0, comment, NO_STARS) if asked.open else self._refused(request, asked, 409)
        try:
            await surveys.answer(house_of(request), actor_of(request), asked.appointment.id, chosen, _one_newline(comment))
        except (FeedbackRead, NotCompleted, SurveysOff) as refusal:
            return self._refused(request, asked, int(refusal.status), refusal)
        except BadInput as refusal:
            return self._page(request, asked, chosen, comment, refusal.sentence, at="fc")
        return RedirectResponse(f"/appointments/{asked.appointment.id}/live#feedback", 303)

    async def read(self, request: Request) -> Response:
        """Staff read it: from now on it stands."""
        appointment = request.path_params["appointment"]
        await surveys.read(house_of(request), actor_of(request), appointment)
        return RedirectResponse(f"/appointments/{appointment}/live#feedback", 303)

    async def _asked(self, request: Request) -> Asked:
        return await surveys.survey_of(house_of(request), actor_of(request), request.path_params["appointment"])

    def _page(
        self, request: Request, asked: Asked, stars: int, comment: str, error: str | None = None, at: str = "s1"
    ) -> Response:
        found, actor = asked.appointment, actor_of(request)
        return self.pages.answer(
            request,
            "booking/feedback.html",
            422 if error else 200,
            here="home",
            visit=visit_of(found, None, actor.signed),
            when=chosen_of(found.arrival_at, found.zone, actor.zone),
            again=asked.survey is not None,
            stars=stars,
            comment=comment,
            error=error,
            error_at=at if error else None,
        )

    def _refused(self, request: Request, asked: Asked, status: int, refusal: Refusal | None = None) -> Response:
        found, read_at = asked.appointment, asked.survey.read_at if asked.survey else None
        why = refusal
        try:
            rules.check_open(found.state, read_at, house_of(request).settings.now)
        except Refusal as stands:
            why = why or stands
        sentence = why.sentence if why else NotCompleted().sentence
        return refused(self.pages, request, found, TITLE, sentence, status)


def _one_newline(said: str) -> str:
    """Browsers send CR LF for each new line of a text; its length is counted as the page counts it."""
    return said.replace("\r\n", "\n")
