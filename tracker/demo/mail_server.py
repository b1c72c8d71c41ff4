"""The demo's mail server: its letters really travel over SMTP, to this machine and no farther."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiosmtpd.smtp import SMTP, Envelope, Session

from tracker.demo.mailbox import Mailbox

BYTES = 1_000_000
"""The largest letter it takes."""


class _Taker:
    """What the mail server does with a letter."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        await asyncio.to_thread(self._mailbox.keep, envelope.original_content or b"")
        return "250 in the mailbox"


@contextlib.asynccontextmanager
async def mail_server(mailbox: Mailbox) -> AsyncIterator[str]:
    """A mail server on this machine alone that puts everything into the mailbox; what TRACKER_SMTP_URL is then."""
    logging.getLogger("mail").setLevel("ERROR")  # it would write every address down
    taker = _Taker(mailbox)

    def conversation() -> SMTP:
        return SMTP(taker, data_size_limit=BYTES, enable_SMTPUTF8=True, hostname="demo", loop=asyncio.get_running_loop())

    listening = await asyncio.get_running_loop().create_server(conversation, "127.0.0.1", 0)
    async with listening:
        yield f"smtp+plain://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
