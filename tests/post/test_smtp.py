"""How a mail server is spoken to: encrypted or not at all, logged in, and what refusing that means."""

import ssl

import pytest
import trustme

from tests.post.catcher import SENDER, catcher
from tracker.post.server import Security
from tracker.post.smtp import Away, Waits, connected

WAITS = Waits(answer_s=10, connect_s=10, letter_s=10)
LETTER = b"Subject: x\r\n\r\nhello\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ours(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def theirs(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_login_over_an_encrypted_connection(security: Security, ours: ssl.SSLContext, theirs: ssl.SSLContext) -> None:
    async with catcher(tls=ours, starttls=security is Security.STARTTLS, password="right") as caught:
        server = caught.server(security, user="us", password="right")
        async with connected(server, WAITS, theirs) as connection:
            await connection.send(SENDER, "a@example.org", LETTER)
        assert len(caught.letters) == 1
        with pytest.raises(Away, match="SMTPAuthenticationError 535"):
            async with connected(caught.server(security, user="us", password="wrong"), WAITS, theirs):
                pass


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_certificate_of_nobody_we_know_is_refused(security: Security, ours: ssl.SSLContext) -> None:
    async with catcher(tls=ours, starttls=security is Security.STARTTLS) as caught:
        with pytest.raises(Away):
            async with connected(caught.server(security), WAITS):
                pass


async def test_a_server_without_starttls_is_never_spoken_to_in_the_open(theirs: ssl.SSLContext) -> None:
    async with catcher() as caught:
        with pytest.raises(Away):
            async with connected(caught.server(Security.STARTTLS, user="us", password="right"), WAITS, theirs):
                pass
        assert caught.letters == []
