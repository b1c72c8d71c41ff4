"""The words of letters, as plain text: what each kind says, from facts that are looked up when it is printed or sent."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words."""

    subject: str
    text: str


_SUBJECTS = {
    "invitation": "Your invitation to {company}",
    "reset": "Choose a new password for {company}",
    "changed": "Your password was changed",
    "welcome_account": "{account} is in your {company} account now",
    "confirmation": "Booked: {service} on {when}",
    "rescheduled": "Moved: {service} is on {when} now",
    "canceled": "Canceled: {service} on {when}",
}
_TEXTS = {
    "invitation": """Hello {name},

{company} invites you to book visits for {account} yourself, and to follow your technician on the way.

Open this link and choose a password:
{link}

Or go to {page} and type this code: {code}
Use the address this message was sent to. The code works once, within 7 days.
""",
    "reset": """Hello {name},

somebody, we hope you, asked for a new password. Open this link to choose one:
{link}

Or go to {page} and type this code: {code}
It works once, for 30 minutes. If it was not you, nothing has to be done: your password stays as it is.
""",
    "changed": """Hello {name},

your password for {company} was changed just now, and you were signed out everywhere else.

If it was not you, choose a new one at {page} at once, and tell us.
""",
    "welcome_account": """Hello {name},

{account} was added to your account at {company}. Sign in as always and choose it in the menu at the top:
{page}
""",
    "confirmation": """Hello {name},

your visit is booked.

{service}
Technician arrives: {when}
Address: {address}
Booking: {booking}

Your appointments: {page}
""",
    "rescheduled": """Hello {name},

your visit was moved.

{service}
Technician arrives now: {when}
Address: {address}
Booking: {booking}

Your appointments: {page}
""",
    "canceled": """Hello {name},

your visit was canceled.

{service}
It was planned for: {when}
Booking: {booking}

Book another time: {page}
""",
}
PAGES = {"invitation": "/redeem", "reset": "/reset", "changed": "/forgot"}
"""The page each kind leads to; the others lead to the first page. Codes stand behind ``#``, where no server sees them."""


def write(kind: str, facts: Mapping[str, str]) -> Written:
    """The letter of a kind. ``facts`` has every name its words use; KeyError for one that is missing, or an unknown kind.

    Texts of people stand in lines of their own or within a sentence: a line break in them would start a header or a line
    that we never wrote, so each becomes one line.
    """
    plain = {name: " ".join(value.split()) for name, value in facts.items()}
    return Written(_SUBJECTS[kind].format_map(plain), _TEXTS[kind].format_map(plain))
