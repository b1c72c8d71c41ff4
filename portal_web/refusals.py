"""A refusal as a page: where to go from here, in one sentence and one button; not signed in leads to the sign-in page."""

import contextlib

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal_web.pages import Pages
from portal_web.sign_in import sign_in_address
from tracker.errors import NotFound, NotSignedIn, Refusal
from tracker.web.guard import guard_of
from tracker.web.problems import RefusalPage

_TITLES = {
    403: "You can’t open this page",
    404: "This page isn’t here",
    405: "That did not work",
    429: "Please wait a moment",
    503: "Not available just now",
}


def refusal_page(pages: Pages) -> RefusalPage:
    """What `create_app` calls when a door for people refuses."""

    async def page(request: Request, refusal: Refusal) -> Response:
        whole = request.headers.get("sec-fetch-dest", "document") == "document"
        if isinstance(refusal, NotSignedIn) and request.method == "GET" and whole:
            return RedirectResponse(sign_in_address(request.url.path), 303)
        status = int(refusal.status)
        await _look_who_asks(request)
        if isinstance(refusal, NotFound) and request.scope.get("tracker.template", "").startswith("/appointments/"):
            return _inactive(pages, request, status)
        title = _TITLES.get(status, "Something went wrong" if status >= 500 else "That did not work")
        return pages.answer(request, "refused.html", status, refusal_title=title, sentence=refusal.sentence, broken=status >= 500)

    return page


async def _look_who_asks(request: Request) -> None:
    """Whoever is signed in keeps the menu: a door that was not theirs, or was none, has not said who asks."""
    if hasattr(request.state, "actor"):
        return
    with contextlib.suppress(Refusal):  # the records may be what is away: then the page does without
        request.state.actor = await guard_of(request).actor(request)


def _inactive(pages: Pages, request: Request, status: int) -> Response:
    """The page of every dead link. Who shows a link's cookie may ask for a new one with it."""
    guard, appointment = guard_of(request), request.path_params.get("appointment", "")
    asks = appointment if guard.link_cookie(appointment) in request.cookies else None
    answer = pages.answer(request, "live/inactive.html", status, asks=asks)
    guard.finish(request, answer)
    return answer
