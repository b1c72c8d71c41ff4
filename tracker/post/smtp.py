"""Handing letters to a mail server: one connection a batch (a used one can hang), every wait limited, every failure named."""

import contextlib
import ssl
from asyncio import timeout
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiosmtplib import SMTP
from aiosmtplib.errors import (
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from tracker.post.message import needs_utf8
from tracker.post.server import Security, Server


@dataclass(frozen=True, slots=True)
class Waits:
    """How long the server may take (seconds): for one answer; to greet and let us in; for one letter, however slowly."""

    answer_s: float = 30.0
    connect_s: float = 30.0
    letter_s: float = 60.0


WAITS = Waits()
CLOSING = 421
"""What a server says that is about to hang up."""


class Trouble(Exception):
    """A letter was not taken. ``why`` names no person: a reply's code, or the kind of the failure."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Away(Trouble):
    """The server cannot be used now; that says nothing of the letter."""


class Later(Trouble):
    """Not now. ``broken``: nothing else can be sent on this connection; ``unknown``: the server may have taken it."""

    def __init__(self, why: str, *, broken: bool, unknown: bool = False) -> None:
        super().__init__(why)
        self.broken, self.unknown = broken, unknown


class Never(Trouble):
    """The server will not take this letter, however often it is sent."""


class Connection:
    """A connection that was greeted, secured and logged in."""

    def __init__(self, client: SMTP, letter_s: float) -> None:
        self._client = client
        self._letter_s = letter_s

    async def send(self, sender: str, recipient: str, message: bytes) -> None:
        """Hand in one letter; it counts when this returns. Errors: `Later`, `Never`."""
        options = ["SMTPUTF8"] if needs_utf8(sender, recipient) else []
        try:
            async with timeout(self._letter_s):
                await self._client.sendmail(sender, [recipient], message, mail_options=options)
        except SMTPRecipientsRefused as refused:
            raise _refused(refused.recipients[0].code) from refused
        except SMTPResponseException as refused:
            raise _refused(refused.code) from refused
        except SMTPNotSupported as error:
            raise Never("the server cannot carry this address (SMTPUTF8)") from error
        except (SMTPException, OSError, TimeoutError) as error:  # silence and hanging up are both: nobody knows how far it came
            raise Later(type(error).__name__, broken=True, unknown=True) from error
        except ValueError as error:
            raise Never("the address cannot be sent") from error


def _refused(code: int) -> Trouble:
    if code == CLOSING:
        return Later(str(code), broken=True)
    return Never(str(code)) if code >= 500 else Later(str(code), broken=False)


@contextlib.asynccontextmanager
async def connected(server: Server, waits: Waits = WAITS, context: ssl.SSLContext | None = None) -> AsyncIterator[Connection]:
    """A connection for one batch. ``context``: other authorities than the machine's. Error: `Away`."""
    client = SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.security is Security.TLS,
        start_tls=server.security is Security.STARTTLS,  # True: a server without it is refused, never spoken to in the open
        tls_context=context,
        timeout=waits.answer_s,
    )
    try:
        try:
            async with timeout(waits.connect_s):
                await client.connect()
                if server.user is not None:
                    await client.login(server.user, server.password)
        except (SMTPException, OSError, TimeoutError) as error:
            code = getattr(error, "code", None)
            raise Away(f"{type(error).__name__} {code or ''}".strip()) from error
        yield Connection(client, waits.letter_s)
        with contextlib.suppress(SMTPException, OSError, TimeoutError):
            async with timeout(2):
                await client.quit()
    finally:
        client.close()
