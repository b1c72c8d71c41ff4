"""The demo's mailbox: a folder with a file a letter, where the demo's mail server puts them and its pages find them."""

import email
import os
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

KEPT = 200
"""Letters that are kept; older ones go."""

_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter in the mailbox. ``to`` is the address alone; ``calendar`` the method of its calendar part, if there is one."""

    id: str
    to: str
    subject: str
    at: datetime
    text: str
    html: str
    calendar: str | None


class Mailbox:
    """A folder with a file a letter, the newest last."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "mailbox"

    def ids(self) -> list[str]:
        """The letters, the newest first."""
        names = (path.stem for path in self.folder.glob("*.eml")) if self.folder.is_dir() else ()
        return sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)

    def read(self, id: str) -> Kept | None:
        """One letter; None if there is none."""
        if not _NAME.fullmatch(id):
            return None
        try:
            message = email.message_from_bytes((self.folder / f"{id}.eml").read_bytes(), policy=default)
        except OSError:
            return None
        if not isinstance(message, EmailMessage):
            return None
        calendars = (part for part in message.walk() if part.get_content_type() == "text/calendar")
        method = next((str(part.get_param("method")) for part in calendars), None)
        to = ", ".join(address.addr_spec for address in message["To"].addresses)
        at = parsedate_to_datetime(message["Date"])
        return Kept(id, to, str(message["Subject"]), at, _body(message, "plain"), _body(message, "html"), method)

    def keep(self, content: bytes) -> None:
        """Put a letter in, for its owner's eyes only, and the oldest out."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{time.time_ns():020}-{secrets.token_hex(4)}.eml"
        fresh = path.with_suffix(".new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(content)
        fresh.replace(path)
        for id in self.ids()[KEPT:]:
            (self.folder / f"{id}.eml").unlink(missing_ok=True)


def _body(message: EmailMessage, form: str) -> str:
    part = message.get_body((form,))
    return str(part.get_content()) if part is not None else ""
