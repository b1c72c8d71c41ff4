"""The words of letters about a sign-in. Pure: facts in, words out; secrets stand in fragments, which no server is sent."""

from datetime import datetime

from tracker.domain.letters import Fact, Link, Sender, Words
from tracker.domain.local_times import clock, day, zone_words


def invitation(sender: Sender, account: str, email: str, code: str, until: datetime, zone: str) -> Words:
    """A code and a link to make a sign-in with."""
    return Words(
        subject=f"Your invitation to {sender.company}",
        preview=f"Create your sign-in with the code {code}.",
        pill="Invitation",
        lead="Create your sign-in with this code",
        big=code,
        code=True,
        sub=f"It works once, until {day(until, zone)}, {clock(until, zone)}, {zone_words(zone, until)}.",
        button=Link("Create your sign-in", f"{sender.url}/redeem#{code}"),
        facts=(Fact("Account", account), Fact("E-mail address", email), Fact("Where to type the code", f"{sender.url}/redeem")),
        note=("Opening the link changes nothing.", "The code is used up only when you create your sign-in."),
        why=f"You get this because {sender.company} added you as a contact of {account}.",
    )


def reset(sender: Sender, code: str, until: datetime, zone: str) -> Words:
    """A link to choose a new password with."""
    return Words(
        subject="Choose a new password",
        preview="The link in this message works once, for a short time.",
        pill="Password",
        lead="A new password was asked for. Choose it before",
        big=clock(until, zone),
        sub=f"{zone_words(zone, until)}. The link works once.",
        button=Link("Choose a new password", f"{sender.url}/reset#{code}"),
        facts=(Fact("Or type this code", code, code=True), Fact("At", f"{sender.url}/reset")),
        note=("Was it not you?", "Then do nothing: your password stays as it is."),
        why="You get this because somebody asked for a new password for this address.",
    )


def changed(sender: Sender, at: datetime, zone: str) -> Words:
    """The password was changed: to be read by who did not do it."""
    return Words(
        subject="Your password was changed",
        preview=f"Was it not you? Reset it now, and call {sender.desk}.",
        pill="Password",
        lead="Your password was changed on",
        big=f"{day(at, zone)}, {clock(at, zone)}",
        sub=f"{zone_words(zone, at)}. You were signed out everywhere else.",
        button=Link("Open the portal", f"{sender.url}/"),
        note=("Was it not you?", f"Choose a new password at {sender.url}/forgot now, and call {sender.desk}."),
        why="You get this because this address signs in here.",
    )


def welcome_account(sender: Sender, account: str) -> Words:
    """A further account appears for somebody who signs in already."""
    return Words(
        subject=f"{account} was added to your sign-in",
        preview="Choose it in the menu of accounts.",
        pill="New account",
        lead="You can now see and book visits of",
        big=account,
        sub="It is in the menu of accounts; your sign-in stays the same.",
        button=Link("Open the portal", f"{sender.url}/"),
        why=f"You get this because {sender.company} added you as a contact of {account}.",
    )
