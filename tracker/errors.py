"""Every way a request can be refused: one tree, each with its HTTP status; the docstring is the sentence people read."""

from http import HTTPStatus


class Refusal(Exception):
    """The request was refused."""

    status: HTTPStatus = HTTPStatus.BAD_REQUEST

    def __init__(self, sentence: str | None = None, **details: object) -> None:
        self.sentence = sentence or " ".join((type(self).__doc__ or "").split())
        self.details = details
        super().__init__(self.sentence)

    @property
    def code(self) -> str:
        """The class name in snake case: what programs compare (``slot_taken``)."""
        name = type(self).__name__
        return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))


# -- who is asking -----------------------------------------------------------------------------------------------------


class NotSignedIn(Refusal):
    """Please sign in first."""

    status = HTTPStatus.UNAUTHORIZED


class BadCredentials(Refusal):
    """E-mail or password is not right. Check both, or reset your password."""

    status = HTTPStatus.UNAUTHORIZED


class BadToken(Refusal):
    """This token is not valid any more."""

    status = HTTPStatus.UNAUTHORIZED


class NotAllowed(Refusal):
    """You are not allowed to do that."""

    status = HTTPStatus.FORBIDDEN


class ForeignOrigin(Refusal):
    """This request came from another site and was refused."""

    status = HTTPStatus.FORBIDDEN


class NotFound(Refusal):
    """There is nothing here, or it is not yours to see."""

    status = HTTPStatus.NOT_FOUND


class LinkInactive(NotFound):
    """This link isn’t active. Open it from your newest letter again, or sign in."""


class BadInvitation(Refusal):
    """This code isn’t active. Each code works once and only for a limited time. Use the newest invitation, or ask your
    service provider for a new one."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadReset(Refusal):
    """This code isn’t active. Each code works once and for 30 minutes. Ask for a new one."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class WeakPassword(Refusal):
    """This password is easy to guess. Choose another one."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyRequests(Refusal):
    """That was too many tries in a short time. Please wait a moment."""

    status = HTTPStatus.TOO_MANY_REQUESTS


# -- what was sent -----------------------------------------------------------------------------------------------------


class BadInput(Refusal):
    """Something in the request could not be understood."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class Unstorable(BadInput):
    """A text in the request is too long, or has characters that cannot be kept."""


class NulCharacter(Unstorable):
    """A text in the request has a NUL character, which cannot be kept. Take it out and send the request again."""


class BadHours(BadInput):
    """These working hours do not fit together."""


class BadArea(BadInput):
    """This is not an area: send a GeoJSON Polygon or MultiPolygon, longitude before latitude."""


class Unreadable(Refusal):
    """This is not a message this address can read."""

    status = HTTPStatus.BAD_REQUEST


class TooBig(Refusal):
    """That is larger than this address accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooSlow(Refusal):
    """The request took too long to arrive."""

    status = HTTPStatus.REQUEST_TIMEOUT


# -- what stands against it --------------------------------------------------------------------------------------------


class Conflict(Refusal):
    """Something else changed in the meantime."""

    status = HTTPStatus.CONFLICT


class StepNotPossible(Conflict):
    """This step is not possible in the appointment's present state."""


class SlotTaken(Conflict):
    """Somebody else has just taken this time. Choose another one."""


class TimeOver(SlotTaken):
    """This time is over. Choose one that is still to come."""


class TooSoon(SlotTaken):
    """This time is too soon by now to be booked. Choose a later one."""


class TooFarAhead(SlotTaken):
    """This time lies further ahead than can be booked yet. Choose an earlier one."""


class HoldOver(Conflict):
    """The time was held for you, but the hold has ended. Choose a time again."""


class HoldExtended(Conflict):
    """The time is still held for you, but a hold can be extended only once. Book it before the hold ends."""


class NotConfirmed(Conflict):
    """The technician is already on the way. Confirm that you want to cancel all the same."""


class AlreadyTraveling(Conflict):
    """The technician is already on the way to another appointment."""


class VersionMismatch(Refusal):
    """The appointment was changed in the meantime. Look at it again before you change it."""

    status = HTTPStatus.PRECONDITION_FAILED


class LetterOvertaken(Conflict):
    """This letter is not sent again: what it says is not so any more, or what it opens has ended."""


class LetterUnwritable(Conflict):
    """This letter could not be put into words: something that it tells of is broken. Once that is mended, send it again."""


class LetterOff(Conflict):
    """Letters of this kind are switched off. Take the kind out of the setting letters_off, then send it again."""


class NotCompleted(Conflict):
    """Feedback can be sent when the visit is completed."""


class FeedbackRead(Conflict):
    """Your feedback has been read, so it can’t be changed any more. Call the service desk if there is more to say."""


class SurveysOff(Conflict):
    """Feedback is not asked for just now. Call the service desk instead."""


class ChangedMeanwhile(VersionMismatch):
    """This was changed in the meantime. Look at it again before you change it."""


class AlreadyThere(Conflict):
    """That is there already."""


class AwayAlready(Conflict):
    """This technician is away then already."""


class SecretShown(AlreadyThere):
    """This was made already, and its secret was shown that once. If it did not arrive, revoke it and make another."""


class NameTaken(AlreadyThere):
    """There is one with this name already. Choose another name."""


class StillUsed(Conflict):
    """Something still needs this. Take it out of there first."""


class StillAtWork(Conflict):
    """This technician is on the way or at work. End that visit, or give it to somebody else, first."""


class NoAddress(BadInput):
    """This place has no complete address yet, so nobody can be sent there. Please ask the service desk to add it."""


class NotBookable(BadInput):
    """This cannot be booked here. Please ask the service desk."""


class NobodyToInform(BadInput):
    """There is nobody to keep informed: name a contact who has an e-mail address."""


class PreconditionRequired(Refusal):
    """Say which version of the appointment you saw: send its ETag as If-Match."""

    status = HTTPStatus.PRECONDITION_REQUIRED


class IdempotencyMismatch(Refusal):
    """This idempotency key was used before with another request."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


# -- what is away ------------------------------------------------------------------------------------------------------


class Unavailable(Refusal):
    """A part of the service is not reachable just now. Please try again in a moment."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class RecordsUnavailable(Unavailable):
    """The database does not answer just now. Please try again in a moment."""


class RecordsBehind(RecordsUnavailable):
    """The database is not as this version needs it: run `tracker migrate`."""


class LiveUnavailable(Unavailable):
    """Live positions are not available just now. Please try again in a moment."""


class RouterUnavailable(Unavailable):
    """The road router does not answer just now."""


class NoRoute(Refusal):
    """There is no road between these two places."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadConfiguration(Refusal):
    """The configuration is not complete or not safe."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
