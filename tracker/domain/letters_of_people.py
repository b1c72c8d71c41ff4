"""The words of letters about a sign-in. Pure: facts in, words out; secrets stand in fragments, which no server is sent."""

from datetime import datetime

from tracker.domain.letters import Fact, Link, Sender, Words


def invitation(sender: Sender, account: str, email: str, code: str, until: datetime, zone: str) -> Words:
    """A code and a link to make a sign-in with."""
    tongue, say = sender.tongue, sender.tongue.say
    when = tongue.moment(until, zone)
    return Words(
        subject=say("Your invitation to {company}", company=sender.company),
        preview=say("Create your account with the code {code}.", code=code),
        pill=say("Invitation"),
        lead=say("Create your account with this code"),
        big=code,
        code=True,
        sub=say("It works once, until {when}, {zone}.", when=when, zone=tongue.zone(zone, until)),
        button=Link(say("Create your account"), f"{sender.url}/redeem#{code}"),
        facts=(
            Fact(say("Account"), account),
            Fact(say("E-mail address"), email),
            Fact(say("Where to type the code"), f"{sender.url}/redeem"),
        ),
        note=(say("Opening the link changes nothing."), say("The code is used up only when you create your sign-in.")),
        why=_contact_of(sender, account),
    )


def reset(sender: Sender, code: str, until: datetime, zone: str) -> Words:
    """A link to choose a new password with."""
    tongue, say = sender.tongue, sender.tongue.say
    return Words(
        subject=say("Choose a new password"),
        preview=say("The link in this message works once, for a short time."),
        pill=say("Password"),
        lead=say("A new password was asked for. Choose it before"),
        big=tongue.clock(until, zone),
        sub=say("{zone}. The link works once.", zone=tongue.zone(zone, until)),
        button=Link(say("Choose a new password"), f"{sender.url}/reset#{code}"),
        facts=(Fact(say("Or type this code"), code, code=True), Fact(say("At"), f"{sender.url}/reset")),
        note=(say("Was it not you?"), say("Then do nothing: your password stays as it is.")),
        why=say("You get this because somebody asked for a new password for this address."),
    )


def changed(sender: Sender, at: datetime, zone: str) -> Words:
    """The password was changed: to be read by who did not do it."""
    tongue, say = sender.tongue, sender.tongue.say
    forgot = f"{sender.url}/forgot"
    return Words(
        subject=say("Your password was changed"),
        preview=say("Was it not you? Reset it now, and call {desk}.", desk=sender.desk),
        pill=say("Password"),
        lead=say("Your password was changed on"),
        big=tongue.moment(at, zone),
        sub=say("{zone}. You were signed out everywhere else.", zone=tongue.zone(zone, at)),
        button=Link(say("Open the portal"), f"{sender.url}/"),
        note=(
            say("Was it not you?"),
            say("Choose a new password at {page} now, and call {desk}.", page=forgot, desk=sender.desk),
        ),
        why=say("You get this because this address signs in here."),
    )


def welcome_account(sender: Sender, account: str) -> Words:
    """A further account appears for somebody who signs in already."""
    say = sender.tongue.say
    return Words(
        subject=say("{account} was added to your sign-in", account=account),
        preview=say("Choose it in the menu of accounts."),
        pill=say("New account"),
        lead=say("You can now see and book visits of"),
        big=account,
        sub=say("It is in the menu of accounts; your sign-in stays the same."),
        button=Link(say("Open the portal"), f"{sender.url}/"),
        why=_contact_of(sender, account),
    )


def _contact_of(sender: Sender, account: str) -> str:
    say = sender.tongue.say
    return say("You get this because {company} added you as a contact of {account}.", company=sender.company, account=account)
