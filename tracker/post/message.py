"""A letter's words as a message (RFC 5322): text and HTML beside each other, a calendar part where there is one."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tracker.domain.emails import ascii_host
from tracker.domain.letters import Sender, Words
from tracker.domain.texts import one_line
from tracker.domain.tongues import own_direction

LONGEST_NAME = 120
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,253}")


class BadAddress(ValueError):
    """No message can be addressed to this."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar file and its method (``REQUEST``, ``CANCEL``)."""

    file: bytes
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who writes to whom. Addresses hold no line breaks (`address_of`); names may hold anything, `one_line` takes care."""

    sender: str
    recipient: str
    name: str = ""
    message_id: str  # what stands before the @


def address_of(said: str) -> str:
    """The address as it goes on the wire: its host in ASCII. `BadAddress` for anything but one plain address."""
    if not _ADDRESS.fullmatch(said):
        raise BadAddress
    local, _, host = said.rpartition("@")
    try:
        return f"{local}@{host if host.isascii() else ascii_host(host)}"
    except ValueError as error:
        raise BadAddress from error


def needs_utf8(*addresses: str) -> bool:
    """True if the server has to know SMTPUTF8 to carry them."""
    return not all(address.isascii() for address in addresses)


class Writer:
    """Turns words into bytes, by two templates that escape what belongs escaped."""

    def __init__(self) -> None:
        folder = FileSystemLoader(Path(__file__).parent / "templates")
        for_all = {"loader": folder, "undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._html = Environment(autoescape=True, **for_all).get_template("letter.html")  # type: ignore[arg-type]
        self._text = Environment(autoescape=False, **for_all).get_template("letter.txt")  # type: ignore[arg-type]  # noqa: S701

    def html(self, words: Words, sender: Sender) -> str:
        """The letter as a page of its own: no script, no picture, nothing loaded."""
        return self._html.render(words=words, sender=sender, **_frame(sender))

    def text(self, words: Words, sender: Sender) -> str:
        """The letter as text."""
        return self._text.render(words=words, sender=sender, **_frame(sender))

    def message(self, envelope: Envelope, words: Words, sender: Sender, now: datetime, calendar: Calendar | None = None) -> bytes:
        """The whole message with CRLF. The same letter keeps its Message-ID however often it is made. Errors: `BadAddress`."""
        recipient = address_of(envelope.recipient)
        utf8 = needs_utf8(envelope.sender, recipient)
        message = EmailMessage(policy=SMTP.clone(utf8=utf8, max_line_length=200 if utf8 else 78))
        message["From"] = _mailbox(sender.company, envelope.sender)
        message["To"] = _mailbox(envelope.name, recipient)
        message["Subject"] = own_direction(words.subject)
        message["Date"] = now
        message["Message-ID"] = f"<{envelope.message_id}@{envelope.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message.set_content(self.text(words, sender), cte="quoted-printable")
        message.add_alternative(self.html(words, sender), subtype="html", cte="quoted-printable")
        if calendar is not None:
            _attach(message, calendar)
        message["Content-Language"] = sender.tongue.code
        return message.as_bytes()


def _frame(sender: Sender) -> dict[str, object]:
    """What stands on every letter, in its language; ``aside`` keeps a foreign piece to itself, ``own`` only cleans it.

    ``whole`` lets no line break within the phone's number."""
    say = sender.tongue.say
    no_replies, help = say("Replies to this message are not read."), say("Help:")
    return {
        "tongue": sender.tongue,
        "aside": sender.tongue.isolated,
        "own": own_direction,
        "whole": lambda text: text.replace(sender.phone, sender.phone.replace(" ", "\u00a0")) if sender.phone else text,
        "no_replies": no_replies,
        "help": help,
    }


def _attach(message: EmailMessage, calendar: Calendar) -> None:
    """Once as a third way to read the letter (calendars offer to take it in), once as a file (for everybody else)."""
    text = calendar.file.decode()
    message.add_alternative(text, subtype="calendar", params={"method": calendar.method}, cte="base64")
    message.add_attachment(calendar.file, maintype="application", subtype="ics", filename="visit.ics")


def _mailbox(name: str, address: str) -> Address:
    local, _, host = address.rpartition("@")
    return Address(display_name=one_line(name)[:LONGEST_NAME], username=local, domain=host)
