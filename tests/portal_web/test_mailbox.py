"""The demo's mailbox: what was sent over SMTP is shown as it looks and as text, and a real service has no such door."""

import dataclasses
import re
import stat
from pathlib import Path

from portal_web.doors import portal
from tests.serving import config_for, free_socket, serving
from tests.world import World
from tracker.actions.house import House
from tracker.actions.letters.posting import Postman
from tracker.actions.people import contacts
from tracker.app import create_app
from tracker.demo.mail_server import mail_server
from tracker.demo.mailbox import KEPT, Mailbox
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.post.server import Post, server_of

DESK = Actor(Role.DISPATCHER, person="desk")


async def test_an_invitation_in_the_mailbox_leads_to_its_form(house: House, world: World, tmp_path: Path) -> None:
    bound = free_socket()
    config = config_for(bound, tmp_path)
    config = dataclasses.replace(config, public=dataclasses.replace(config.public, demo=True))
    pages = portal(config)
    app = create_app(house, config, pages.routes, refusal_page=pages.refusal_page)
    async with mail_server(Mailbox(tmp_path)) as smtp, serving(app, bound) as client:
        house.post = Post(server_of(smtp), "no-reply@localhost", config.public.url)
        assert "No letters yet" in (await client.get("/demo/mailbox")).text
        await contacts.add_contact(house, DESK, world.account, "kaisa@example.org", "<b>Kaisa</b>")
        assert await Postman(house).turn() == 1
        listed = (await client.get("/demo/mailbox")).text
        assert "to kaisa@example.org" in listed
        assert "Times are Helsinki time" in listed
        found = re.search(r'href="(/demo/mailbox/[0-9a-f-]+)"', listed)
        assert found
        letter = await client.get(found[1])
        assert letter.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
        assert "script" not in letter.headers["content-security-policy"]
        assert '<a href="/demo/mailbox"' in letter.text  # the way back
        link = re.search(r'href="(http[^"]+/redeem#[-0-9A-Z]{14})"', letter.text)
        assert link
        text = (await client.get(found[1] + "/text")).text
        assert f'<a href="{link[1]}">' in text
        assert (await client.get(link[1])).status_code == 200
        for nothing in ("/demo/mailbox/x", "/demo/mailbox/..%2f..%2fdemo.json", found[1][:-1] + "x"):
            assert (await client.get(nothing)).status_code == 404


async def test_a_real_service_has_no_mailbox(house: House, world: World, tmp_path: Path) -> None:
    bound = free_socket()
    config = config_for(bound, tmp_path)
    pages = portal(config)
    async with serving(create_app(house, config, pages.routes, refusal_page=pages.refusal_page), bound) as client:
        assert (await client.get("/demo/mailbox")).status_code == 404


def test_a_mailbox_keeps_the_newest_for_its_owner_alone(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    for number in range(KEPT + 5):
        mailbox.keep(f"To: a@example.org\r\nSubject: {number}\r\nDate: Mon, 23 Nov 2026 19:03:29 +0000\r\n\r\nx\r\n".encode())
    kept = [mailbox.read(id) for id in mailbox.ids()]
    assert [one.subject for one in kept if one] == [str(number) for number in range(KEPT + 4, 4, -1)]
    assert stat.S_IMODE(mailbox.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in mailbox.folder.iterdir()} == {0o600}
