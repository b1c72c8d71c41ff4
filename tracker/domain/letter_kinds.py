"""Every kind of letter there is (N1)."""

from enum import StrEnum


class Kind(StrEnum):
    """What a letter is about. Those about an appointment go to its reported-by contact, the others to an address."""

    INVITATION = "invitation"
    RESET = "reset"
    CHANGED = "changed"  # the password was
    WELCOME_ACCOUNT = "welcome_account"  # a further account of somebody with a sign-in
    CONFIRMATION = "confirmation"
    RESCHEDULED = "rescheduled"
    CANCELED = "canceled"
    REMINDER = "reminder"
    DELAY = "delay"
    TRAVELING = "traveling"
    ARRIVING = "arriving"
    COMPLETED = "completed"
    NOT_DONE = "not_done"
    TAKEN_BACK = "taken_back"  # a step that a letter told of already
    LINK = "link"  # a new one was asked for with an older one
