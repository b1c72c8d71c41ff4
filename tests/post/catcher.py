"""A mail server of the tests: real SMTP (aiosmtpd) in this loop, told what to answer to whom, and what it took."""

import asyncio
import email
import ssl
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tracker.post.server import Post, Security, Server

URL = "https://portal.example.org"
SENDER = "no-reply@portal.example.org"


@dataclass
class Caught:
    """One letter that was taken."""

    recipient: str
    message: EmailMessage
    raw: bytes

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        assert part is not None
        return str(part.get_content())


@dataclass
class Catcher:
    """``refuse`` maps an address to the answer it gets at RCPT; ``at_data`` may do anything when a letter was read."""

    port: int = 0
    letters: list[Caught] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    at_data: Callable[[SMTP, Envelope], str | None] | None = None
    connections: int = 0

    async def handle_EHLO(self, server: SMTP, session: Session, _envelope: Envelope, host: str, answers: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = host
        return answers

    async def handle_RCPT(self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        answer = self.at_data(server, envelope) if self.at_data else None
        if answer is not None:
            return answer
        raw = envelope.original_content or b""
        message = email.message_from_bytes(raw, policy=default)
        assert isinstance(message, EmailMessage)
        self.letters += [Caught(to, message, raw) for to in envelope.rcpt_tos]
        return "250 taken"

    def to(self, recipient: str) -> list[Caught]:
        return [one for one in self.letters if one.recipient == recipient]

    def server(self, security: Security = Security.PLAIN, **login: str) -> Server:
        return Server(host="127.0.0.1", port=self.port, security=security, **login)

    def post(self) -> Post:
        return Post(self.server(), SENDER, URL)


@asynccontextmanager
async def catcher(
    port: int = 0, *, tls: ssl.SSLContext | None = None, starttls: bool = False, password: str = ""
) -> AsyncIterator[Catcher]:
    """A server on a free port, or on one that was there before. ``tls``: from the beginning, or by STARTTLS."""
    caught, sessions = Catcher(), []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, said: Any) -> AuthResult:
        right = isinstance(said, LoginPassword) and said.password == password.encode()
        return AuthResult(success=right, handled=False)

    def made() -> SMTP:
        options: dict[str, Any] = (
            {"authenticator": check, "auth_required": True, "auth_require_tls": starttls} if password else {}
        )
        if starttls:
            options |= {"tls_context": tls, "require_starttls": True}
        with warnings.catch_warnings(action="ignore"):  # of a login without STARTTLS: here the connection begins with TLS
            session = SMTP(caught, enable_SMTPUTF8=True, hostname="catcher", loop=asyncio.get_running_loop(), **options)
        sessions.append(session)
        return session

    listening = await asyncio.get_running_loop().create_server(made, "127.0.0.1", port, ssl=None if starttls else tls)
    caught.port = listening.sockets[0].getsockname()[1]
    try:
        yield caught
    finally:
        listening.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
            if session._handler_coroutine is not None:
                await asyncio.wait([session._handler_coroutine], timeout=2)
