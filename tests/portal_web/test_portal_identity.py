"""Redeem, forgot, reset, profile, accounts and sessions through the real doors, as forms without any script (O3–O8, N7)."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import structlog

from tests.portal_web.living import PASSWORD, Town, form_token, give_password, living
from tests.portal_web.test_portal_doors import text_of
from tracker.actions.people import contacts
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.codes import Purpose, code_of
from tracker.records import outbox

DESK = Actor(Role.DISPATCHER, person="desk")
NEW, OTHER = "ruska ja kaksi poroa", "toinen hyvä salasana"


@pytest.fixture
async def town(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with living(sqlite_url, redis_url, tmp_path) as made:
        yield made


async def invited(town: Town, email: str = "kaisa@example.org") -> str:
    added = await contacts.add_contact(town.house, DESK, town.world.account, email, "Kaisa Kokeilu")
    return (await contacts.invite(town.house, DESK, added.contact.id)).code


async def press(town: Town, path: str, **form: str) -> httpx.Response:
    """Open a page and send its form."""
    page = await town.client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    return await town.client.post(path, data={"form_token": form_token(page.text), **form})


async def redeem(town: Town, code: str, email: str = "kaisa@example.org", password: str = NEW) -> httpx.Response:
    return await press(town, "/redeem", code=code, email=email, password=password)


async def reset_code(town: Town) -> str:
    async with town.house.db.reading() as tx:
        letter = next(one for one in await outbox.latest(tx) if one.kind == "reset")
    return code_of(town.house.secret, Purpose.RESET, letter.message_id.split(".")[1])


# -- redeem ------------------------------------------------------------------------------------------------------------


async def test_from_the_code_to_the_home_page_by_way_of_the_profile_once(town: Town) -> None:
    code = await invited(town)
    assert 'href="/redeem"' in (await town.client.get("/sign-in")).text
    answer = await redeem(town, code.replace("-", " ").lower())
    assert (answer.status_code, answer.headers["location"]) == (303, "/profile?first=1")
    profile = await town.client.get("/profile?first=1")
    assert "Skip for now" in profile.text
    assert 'value="Kaisa Kokeilu"' in profile.text
    form = {
        "form_token": form_token(profile.text),
        "first": "1",
        "name": "Kaisa",
        "phone": "+358 40 123 4567",
        "zone": "Asia/Tokyo",
        "locale": "ar",
    }
    saved = await town.client.post("/profile", data=form)
    assert saved.headers["location"] == "/"
    assert "Hello, Kaisa" in text_of((await town.client.get("/")).text)
    assert '<option value="ar" lang="ar" dir="auto" selected>العربية</option>' in (await town.client.get("/profile")).text
    await press(town, "/profile", name="", phone="", zone="")
    later = await town.client.get("/profile")
    assert "Skip for now" not in later.text
    assert 'value="Kaisa"' in later.text  # an empty name leaves it as it is
    assert 'value="+358' not in later.text
    town.client.cookies.clear()
    again = await press(town, "/sign-in", email="kaisa@example.org", password=NEW)
    assert again.headers["location"] == "/"


async def test_both_mistakes_are_said_at_once_and_what_was_typed_stays_but_the_password(town: Town) -> None:
    answer = await redeem(town, "K7QF-M2XD-9RT4", password="ninechars")
    assert answer.status_code == 422
    said = text_of(answer.text)
    for words in (
        "Please check two things",
        "This code isn’t active. Each code works once and only for a limited time.",
        "Password is too short. Add 3 more characters.",
    ):
        assert words in said
    assert "<title>Error: Redeem invitation" in answer.text
    assert 'value="K7QF-M2XD-9RT4"' in answer.text
    assert 'value="kaisa@example.org"' in answer.text
    assert "ninechars" not in answer.text


async def test_looking_at_a_link_never_uses_it_up(town: Town) -> None:
    code = await invited(town)
    for path in ("/redeem", "/reset", "/forgot"):
        for method in ("GET", "HEAD"):
            assert (await town.client.request(method, path)).status_code == 200
            assert (await town.client.request(method, path, params={"code": code})).status_code == 200
    assert (await redeem(town, code)).status_code == 303


async def test_no_address_and_no_log_line_ever_holds_a_code(town: Town) -> None:
    code = await invited(town)
    with structlog.testing.capture_logs() as lines:
        await redeem(town, code)
        town.client.cookies.clear()
        await press(town, "/forgot", email="kaisa@example.org")
        reset = await reset_code(town)
        await press(town, "/reset", code=reset, password=OTHER)
    assert len(lines) >= 6
    assert not any(secret in str(line) for line in lines for secret in (code, reset, "kaisa", NEW, OTHER))


async def test_redeeming_signs_out_whoever_was_signed_in_here(town: Town) -> None:
    await give_password(town, town.world.customer)
    await press(town, "/sign-in", email="anna@example.org", password=PASSWORD)
    before = town.client.cookies["tt"]
    await redeem(town, await invited(town))
    assert town.client.cookies["tt"] != before
    old = await town.client.get("/past", headers={"Cookie": f"tt={before}", "Accept": "text/html"})
    assert old.status_code == 303


@pytest.mark.parametrize("path", ["/redeem", "/forgot", "/reset", "/profile", "/account"])
async def test_forms_are_taken_from_our_own_pages_only(town: Town, path: str) -> None:
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    page = await town.client.get("/profile")
    good = {"form_token": form_token(page.text), "account": town.world.account}
    tries = [
        ({}, {}),
        ({"form_token": "0" * 64}, {}),
        (good, {"Origin": "https://evil.example"}),
        (good, {"Origin": "null"}),
        (good, {"Sec-Fetch-Site": "cross-site"}),
        (good, {"Sec-Fetch-Site": "same-site"}),
        (good, {"Sec-Fetch-Site": "none"}),
    ]
    for form, headers in tries:
        assert (await town.client.post(path, data=form, headers=headers)).status_code == 403, (form, headers)
    town.client.cookies.set("tt", await town.token_of(town.world.stranger))
    assert (await town.client.post(path, data=good)).status_code == 403  # another session's token
    text = {"Content-Type": "text/plain"}
    assert (await town.client.post(path, content=f"form_token={good['form_token']}", headers=text)).status_code == 403


# -- forgot and reset --------------------------------------------------------------------------------------------------


async def test_asking_is_answered_alike_for_every_address(town: Town) -> None:
    answers = [await press(town, "/forgot", email=email) for email in ("anna@example.org", "nobody@example.org", "no address")]
    assert {answer.status_code for answer in answers} == {200}
    plain = {re.sub(r'value="[0-9a-f]{64}"', "", answer.text) for answer in answers}
    assert len(plain) == 1
    assert "If an account exists for that address, a message is on its way. The link works for 30 minutes." in plain.pop()


async def test_a_reset_signs_in_here_and_out_everywhere_else(town: Town) -> None:
    await give_password(town, town.world.customer)
    elsewhere = await town.token_of(town.world.customer)
    await press(town, "/forgot", email="anna@example.org")
    refused = await press(town, "/reset", code="0000-0000", password="short")
    assert refused.status_code == 422
    assert "Please check two things" in text_of(refused.text)
    answer = await press(town, "/reset", code=await reset_code(town), password=OTHER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert (await town.client.get("/past")).status_code == 200
    old = await town.client.get("/past", headers={"Cookie": f"tt={elsewhere}", "Accept": "text/html"})
    assert old.status_code == 303
    again = await press(town, "/reset", code=await reset_code(town), password=NEW)
    assert "This code isn’t active." in again.text


async def test_many_tries_are_stopped_in_words(town: Town) -> None:
    for _ in range(10):
        assert (await redeem(town, "0000-0000-0000")).status_code == 422
    stopped = await redeem(town, "0000-0000-0000")
    assert stopped.status_code == 429
    assert "too many tries" in stopped.text


# -- profile, accounts, sessions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("phone", "call me", "This is not a phone number."),
        ("zone", "Mars/Olympus", "This time zone is not known."),
        ("locale", "tlh", "Letters are not written in this language."),
        ("name", "x" * 201, "200"),
    ],
)
async def test_what_cannot_be_taken_is_said_at_its_field(town: Town, field: str, value: str, said: str) -> None:
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    answer = await press(town, "/profile", **({"name": "Anna", "phone": "", "zone": ""} | {field: value}))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Please check one thing" in answer.text


async def test_every_place_has_one_zone_and_its_former_names_lead_to_it(town: Town) -> None:
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    await press(town, "/profile", name="", phone="", zone="Asia/Calcutta")  # as browsers call it still
    page = (await town.client.get("/profile")).text
    assert '<option value="Asia/Kolkata" data-former="Asia/Calcutta" selected>Kolkata (UTC+5:30)</option>' in page
    assert ('value="Asia/Calcutta"' in page, ">LHI (" in page, page.count(" selected>")) == (False, False, 1)


async def test_the_menu_chooses_between_accounts_and_the_home_page_shows_the_chosen_one(town: Town) -> None:
    visit = await town.appointment()
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    assert "Appointments of" not in (await town.client.get("/")).text
    await contacts.add_contact(town.house, DESK, town.world.other_account, "anna@example.org", "Anna")
    home = await town.client.get("/")
    assert f"/appointments/{visit}" in home.text
    assert "Appointments of" in home.text
    chosen = {"form_token": form_token(home.text), "account": town.world.other_account}
    assert (await town.client.post("/account", data=chosen)).headers["location"] == "/"
    home = await town.client.get("/")
    assert f"/appointments/{visit}" not in home.text
    assert re.search(r'value="' + town.world.other_account + r'" aria-current="true"', home.text)
    foreign = chosen | {"account": "0" * 16}
    assert (await town.client.post("/account", data=foreign)).status_code == 404


async def test_sessions_are_listed_in_the_persons_own_zone(town: Town) -> None:
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    assert "Times are Helsinki time" in (await town.client.get("/sessions")).text
    await press(town, "/profile", name="", phone="", zone="Asia/Tokyo")
    assert "Times are Tokyo time (JST, UTC+9)." in (await town.client.get("/sessions")).text
    town.client.cookies.set("tt", await town.token_of(town.world.dispatcher))
    assert "(UTC)" in (await town.client.get("/sessions")).text


async def test_sessions_used_before_the_clocks_changed_are_listed_with_the_offset_of_then(town: Town) -> None:
    for minutes in (-31, 1):  # Helsinki's clocks go forward at 01:00 UTC
        town.house.clock = lambda minutes=minutes: datetime(2026, 3, 29, 1, 0, tzinfo=UTC) + timedelta(minutes=minutes)
        town.client.cookies.set("tt", await town.token_of(town.world.customer))
    page = (await town.client.get("/sessions")).text
    assert "Times are Helsinki time (EET, UTC+2, then EEST, UTC+3)." in page
    assert "02:29</time>" in page
    assert "04:01</time>" in page


# -- never silent ------------------------------------------------------------------------------------------------------


async def test_staff_see_letters_that_do_not_go_out(town: Town) -> None:
    town.client.cookies.set("tt", await town.token_of(town.world.dispatcher))
    well = (await town.client.get("/health")).text
    assert "Everything works." in well
    assert "Estimated from the distance" in well
    assert ">ok<" not in well
    await invited(town)  # two letters: one by itself, one by hand
    assert "2 waiting since" in (await town.client.get("/health")).text
    later = town.house.clock() + timedelta(minutes=10)
    town.house.clock = lambda: later
    page = text_of((await town.client.get("/health")).text)
    assert "Something needs a look." in page
    assert "tracker letters prints them" in page
    town.client.cookies.set("tt", await town.token_of(town.world.customer))
    assert (await town.client.get("/health", headers={"Accept": "text/html"})).status_code == 403
