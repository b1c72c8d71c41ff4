"""The pages through the real doors: who gets which page, forms and their tokens, sessions, refusals, the text of a trip."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from portal_web import live
from portal_web.sign_in import own_path
from tests.portal_web.living import PASSWORD, START, Town, describe_maya, form_token, give_password, living
from tracker.actions import overview
from tracker.actions.people import accounts
from tracker.actions.trip import watching
from tracker.domain.appointments import Step
from tracker.records import appointments, customers, people, settings
from tracker.records.people import Person


@pytest.fixture
async def town(sqlite_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    async with living(sqlite_url, redis_url, tmp_path) as made:
        yield made


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("&#39;", "'").replace(" .", ".")


# -- signing in --------------------------------------------------------------------------------------------------------


async def signed_in(town: Town, password: str = PASSWORD, onward: str = ""):
    page = await town.client.get("/sign-in", params={"next": onward} if onward else None)
    form = {"form_token": form_token(page.text), "email": " Anna@Example.org ", "password": password}
    if found := re.search(r'name="next" value="([^"]+)"', page.text):
        form["next"] = found[1]
    return await town.client.post("/sign-in", data=form)


async def test_signing_in_leads_to_the_page_that_was_asked_for(town):
    await give_password(town, town.world.customer)
    asked = await town.client.get("/past", headers={"Accept": "text/html"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/past")
    answer = await signed_in(town, onward="/past")
    assert (answer.status_code, answer.headers["location"]) == (303, "/past")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Your appointments" in (await town.client.get("/past")).text
    assert (await town.client.get("/sign-in")).headers["location"] == "/"


async def test_a_wrong_password_keeps_the_address_and_says_one_sentence(town):
    await give_password(town, town.world.customer)
    answer = await signed_in(town, password="wrong")
    assert answer.status_code == 401
    assert "E-mail or password is not right. Check both, or reset your password." in answer.text
    assert 'value=" Anna@Example.org "' in answer.text
    assert "wrong" not in answer.text.replace("Something went wrong", "")
    assert "<title>Error: Sign in" in answer.text
    assert "tt=" not in answer.headers.get("set-cookie", "").replace("tt-form=", "")


async def test_a_form_without_its_token_or_from_another_site_is_refused(town):
    await give_password(town, town.world.customer)
    form = {"email": "anna@example.org", "password": PASSWORD}
    assert (await town.client.post("/sign-in", data=form)).status_code == 403
    page = await town.client.get("/sign-in")
    form["form_token"] = form_token(page.text)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await town.client.post("/sign-in", data=form, headers=foreign)).status_code == 403
    assert (await town.client.post("/sign-in", data=form)).status_code == 303


@pytest.mark.parametrize(
    "said",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "/a\\b", "javascript:1", "", None, "/a\nb", "/" + "x" * 600],
)
def test_going_on_never_leaves_the_site(said):
    assert own_path(said) == "/"


def test_going_on_keeps_paths_of_our_own():
    assert own_path("/appointments/5ec1e7000000a1b2/live") == "/appointments/5ec1e7000000a1b2/live"


# -- sessions ----------------------------------------------------------------------------------------------------------


async def test_sessions_are_listed_and_ended_one_by_one(town):
    await give_password(town, town.world.customer)
    await signed_in(town)
    elsewhere = await town.token_of(town.world.customer)
    page = await town.client.get("/sessions")
    assert page.text.count("sessions__one") == 2
    assert page.text.count("This device") == 1
    end = re.search(r'action="(/sessions/[0-9a-f]+/end)"', page.text)
    assert end
    answer = await town.client.post(end[1], data={"form_token": form_token(page.text)})
    assert answer.headers["location"] == "/sessions?ended=1"
    assert "That device is signed out." in (await town.client.get("/sessions?ended=1")).text
    gone = await town.client.get("/past", headers={"Cookie": f"tt={elsewhere}", "Accept": "text/html"})
    assert gone.status_code == 303


async def test_signing_out_ends_the_session_for_good(town):
    await give_password(town, town.world.customer)
    answer = await signed_in(town)
    token = re.search(r"\btt=([^;]+)", answer.headers["set-cookie"])
    assert token
    page = await town.client.get("/sessions")
    out = await town.client.post("/sign-out", data={"form_token": form_token(page.text)})
    assert out.headers["location"] == "/sign-in"
    replayed = await town.client.get("/past", headers={"Cookie": f"tt={token[1]}", "Accept": "text/html"})
    assert replayed.status_code == 303


# -- who sees what -----------------------------------------------------------------------------------------------------


async def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page(town):
    visit = await town.appointment()
    assert (await town.get("/")).headers["location"] == "/sign-in"
    page = await town.get(f"/appointments/{visit}/live")
    assert (page.status_code, page.headers["location"]) == (303, f"/sign-in?next=/appointments/{visit}/live")
    panel = await town.client.get(f"/appointments/{visit}/live/panel", headers={"Accept": "text/html", "Sec-Fetch-Dest": "empty"})
    assert panel.status_code == 401


async def test_an_appointment_of_others_and_one_that_is_none_look_alike(town):
    visit = await town.appointment()
    mine = await town.get(f"/appointments/{visit}/live", town.world.customer)
    assert mine.status_code == 200
    foreign = await town.get(f"/appointments/{visit}/live", town.world.stranger)
    nothing = await town.get("/appointments/0000000000000000/live", town.world.stranger)
    assert (foreign.status_code, nothing.status_code) == (404, 404)
    said = [re.sub(r'name="form_token" value="[^"]+"', "", page.text) for page in (foreign, nothing)]  # two sessions, two tokens
    assert said[0] == said[1]
    assert "This link isn’t active" in foreign.text
    assert "account menu of" in foreign.text
    assert "account menu of" in (await town.get("/v", town.world.customer)).text
    assert "Esimerkkikatu" not in foreign.text


async def test_the_technician_and_staff_have_a_page_of_their_own(town):
    noon = town.house.clock().replace(hour=10)  # in half an hour it is still the same day, whenever the tests run
    town.house.clock = lambda: noon
    visit = await town.appointment()
    day = text_of((await town.get("/", town.world.technician)).text)
    assert "Today, 1 job" in day
    assert "Heat pump service" in day
    assert "No customer can see your location." in day
    colleague = text_of((await town.get("/", town.world.colleague)).text)
    assert "No jobs today." in colleague
    await town.step(visit, Step.START_TRAVEL)
    assert "Sharing is ON" in (await town.get("/", town.world.technician)).text
    await town.share(on=False)
    assert "Sharing is PAUSED" in (await town.get("/", town.world.technician)).text
    desk = text_of((await town.get("/", town.world.dispatcher)).text)
    assert "1 appointment : 1 on the way" in desk.replace("appointment:", "appointment :")
    assert "Esimerkki" in day
    assert "Maya" in desk


MAYAS = "+358401"


async def setting(town: Town, key: str, value: object) -> None:
    async with town.house.db.transaction() as tx:
        await settings.write(tx, key, value, "test", town.house.clock())
    await town.house.settings.refresh(town.house.db)


# -- a visit in words, without script ----------------------------------------------------------------------------------


async def test_the_trip_is_told_as_plain_text_from_start_to_end(town):
    await describe_maya(town, title="Heat pump technician", plate="ABC-123", phone=MAYAS)
    visit, path, anna = await town.appointment(), "", town.world.customer
    path = f"/appointments/{visit}/live"

    async def text() -> str:
        return text_of((await town.get(path, anna)).text)

    assert "Maya’s location is not shared yet." in await text()
    await town.step(visit, Step.START_TRAVEL)
    begun = await text()
    assert "Just started" in begun
    assert "The van appears on the map a little later," in begun
    await town.ping(START, eta_min=(12, 18))
    seen = await text()
    assert "Live" in seen
    assert "Maya arrives between" in seen
    assert "In 12 to 19 min." in seen or "In 12 to 18 min." in seen or "In 11 to 18 min." in seen
    assert "White van ABC-123" in seen
    assert "accurate to about 20 m" in seen
    assert "Refresh" in seen
    call = f'href="tel:{MAYAS}" aria-label="Call Maya"'
    told = [call in (await town.get(path, anna)).text]
    await setting(town, "show_phone", True)  # M3: the number is a setting's, and only while she is on her way
    told += [call in (await town.get(path, anna)).text]
    assert (told, (await town.get(f"/api/v1{path}", anna)).json()["technician"]["phone"]) == ([False, True], MAYAS)
    await town.share(on=False)
    paused = await text()
    assert "Paused" in paused
    assert "accurate to" not in paused
    await town.share(on=True)
    await town.step(visit, Step.ARRIVE)
    working = await text()
    assert "Maya is working. Likely done around" in working
    assert "Nobody can see the van on this page any more." in working
    assert "phone" not in (await town.get(f"/api/v1{path}", anna)).json()["technician"]
    await town.step(visit, Step.COMPLETE)
    assert "Visit completed" in await text()


async def test_staff_read_whom_a_visit_is_for_and_the_note(town):
    visit, anna = await town.appointment(), town.world.customer
    async with town.house.db.transaction() as tx:
        [contact] = await customers.contacts_of(tx, town.world.account)
        await people.change(tx, anna.id, phone="+358 40 123 4567")
        found = await appointments.locked(tx, visit)
        await appointments.change(tx, found, contact_id=contact.id, details="Door <QX-12>")
    path = f"/appointments/{visit}/live"
    told = (await town.get(path, town.world.dispatcher)).text
    assert "Customer Esimerkki Anna +358 40 123 4567" in text_of(told)
    assert 'href="tel:+358401234567"' in told
    assert "“Door &lt;QX-12&gt;”" in told
    day = (await town.get("/", town.world.technician)).text
    assert ("tel:+358401234567" in day, "Next job, arrive at" in day, "Door &lt;QX-12&gt;" in day) == (True, True, True)
    for who in (anna, town.world.technician):
        assert "QX-12" not in (await town.get(path, who)).text
    await town.step(visit, Step.START_TRAVEL)
    await town.step(visit, Step.ARRIVE)
    assert "Present job, booked for" in (await town.get("/", town.world.technician)).text
    await town.step(visit, Step.COMPLETE)
    assert "+358" not in (await town.get(path, town.world.dispatcher)).text
    canceled = await town.appointment()
    await town.cancel(canceled, "It works again")
    for who, name in ((anna, "you"), (town.world.dispatcher, "the customer")):
        assert f"by {name}. Nobody is coming" in text_of((await town.get(f"/appointments/{canceled}/live", who)).text)


async def test_without_technician_tracking_no_page_promises_a_live_map(town):
    await setting(town, "technician_tracking", False)
    visit, canceled, anna = await town.appointment(), await town.appointment(), town.world.customer

    empty = (await town.get("/", town.world.stranger)).text
    assert "When you book a visit it appears here." in empty
    assert "follow the technician" not in empty
    assert "the van" not in (await town.get(f"/appointments/{visit}/links", anna)).text

    async def said() -> str:
        pages = [(await town.get(path, anna)).text for path in ("/", "/past", f"/appointments/{visit}/live")]
        return text_of(" ".join(page[page.index("<main") :] for page in pages))

    assert "Maya’s location is not shown on this page. It says when Maya sets off to you." in (told := await said())
    for step, words in (
        (Step.START_TRAVEL, "Maya has set off. There is no live map for this visit. This page changes when work begins."),
        (Step.ARRIVE, "This page shows no position of the technician."),
        (Step.COMPLETE, "This page shows no position of the technician."),
    ):
        await town.step(visit, step)
        if step is Step.START_TRAVEL:
            await town.ping(START)
            day = text_of((await town.get("/", town.world.technician)).text)
            assert "Dispatch sees you until you arrive. Customers are shown no live map." in day
        told = await said()
        assert words in told
        assert "live map" not in told.lower().replace("there is no live map", "").replace("no live map · position not shown", "")
        assert "Location sharing" not in told
    await town.cancel(canceled, "away")
    assert "No location was shared." in text_of((await town.get(f"/appointments/{canceled}/live", anna)).text)


async def test_a_canceled_visit_says_who_and_why(town):
    visit = await town.appointment()
    await town.cancel(visit, "It works again <b>.")
    page = (await town.get(f"/appointments/{visit}/live", town.world.customer)).text
    assert "by you. Nobody is coming." in text_of(page)
    assert "“It works again &lt;b&gt;.”" in page
    assert "No location was shared." in page


async def test_where_the_van_is_in_words_is_only_for_those_who_may_see_it(town):
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    mine = await town.get(f"/appointments/{visit}/live/place", town.world.customer)
    assert (mine.status_code, mine.json()) == (200, {"street": None})  # no address index was built here
    assert (await town.get(f"/appointments/{visit}/live/place", town.world.stranger)).status_code == 404


@pytest.mark.parametrize("closes", [False, True], ids=["nothing happens", "arrives meanwhile"])
async def test_a_place_closed_while_the_page_is_made_is_not_in_it(town, monkeypatch, closes):
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    card = live.technician_row

    async def meanwhile(house, technician):
        if closes:
            await town.step(visit, Step.ARRIVE)
        return await card(house, technician)

    monkeypatch.setattr(live, "technician_row", meanwhile)  # the last thing that is read for the page
    page = (await town.get(f"/appointments/{visit}/live", town.world.customer)).text
    assert bool(re.search(r'km away|"position": ?{|&#34;position&#34;: ?{', page)) is not closes


@pytest.mark.parametrize("closes", [False, True], ids=["nothing happens", "arrives meanwhile"])
async def test_a_place_closed_while_the_first_page_is_made_is_not_in_it(town, monkeypatch, closes):
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    late = overview.late_of

    async def meanwhile(house, found):
        if closes:
            await town.step(visit, Step.ARRIVE)
        return await late(house, found)

    monkeypatch.setattr(overview, "late_of", meanwhile)
    page = (await town.get("/", town.world.customer)).text
    assert ("Live · now" in text_of(page)) is not closes


async def test_a_place_closed_while_others_are_looked_at_is_not_in_the_companys_day(town, monkeypatch):
    visit, other = await town.appointment(), await town.world.appointment(town.world.onni, arrival_at=town.house.clock())
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    async with town.house.db.transaction() as tx:
        row = await appointments.locked(tx, other)
        assert row
        await appointments.change(tx, row, state="traveling", traveling_at=town.house.clock())
    look, seen = overview.look, asyncio.Event()

    async def slow(house, appointment, technician, now):
        if appointment == visit:
            view = await look(house, appointment, technician, now)
            assert view.position
            seen.set()
            return view
        await seen.wait()
        await town.step(visit, Step.ARRIVE)
        return await look(house, appointment, technician, now)

    monkeypatch.setattr(overview, "look", slow)
    assert "Position · of" not in text_of((await town.get("/", town.world.dispatcher)).text)
    assert seen.is_set()


SHOWING = ["/", "/appointments/{}/live", "/appointments/{}/live/panel", "/api/v1/appointments/{}/live"]


@pytest.mark.parametrize("path", SHOWING)
async def test_no_answer_with_a_place_follows_the_end_of_its_session(town, monkeypatch, path):
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    look, who, read, go_on = watching.look, accounts.who, asyncio.Event(), asyncio.Event()

    async def slow(*args):
        view = await look(*args)
        assert view.position
        read.set()
        await go_on.wait()
        return view

    async def too_late(house, token):
        actor = await who(house, token)
        await accounts.sign_out(house, actor)
        return actor

    with monkeypatch.context() as slowly:  # it ends while the place is read
        slowly.setattr(watching, "look", slow)
        asking = asyncio.create_task(town.get(path.format(visit), town.world.customer))
        await read.wait()
        [session] = await accounts.sessions_of(town.house, town.anna)
        await accounts.end_session(town.house, town.anna, session.id)
        go_on.set()
        [said] = await asyncio.gather(asking, return_exceptions=True)
    assert isinstance(said, httpx.HTTPError) or said.status_code >= 400
    monkeypatch.setattr(accounts, "who", too_late)  # it ends between the door and that
    assert (await town.get(path.format(visit), town.world.customer)).status_code in {303, 401}


# -- the lists ---------------------------------------------------------------------------------------------------------


async def test_of_several_that_travel_the_nearest_is_active_and_the_others_keep_their_map(town):
    now = town.house.clock()
    first = await town.appointment(arrival_at=now + timedelta(minutes=50))
    later = await town.world.appointment(town.world.onni, arrival_at=now + timedelta(minutes=20))
    await town.step(first, Step.START_TRAVEL)
    await town.ping(START, eta_min=(5, 9))
    async with town.house.db.transaction() as tx:
        row = await appointments.locked(tx, later)
        assert row
        await appointments.change(tx, row, state="traveling", traveling_at=now)
    html = (await town.get("/", town.world.customer)).text
    active = html[html.index("Active appointment") : html.index("All appointments")]
    rest = html[html.index("All appointments") :]
    assert f"/appointments/{first}/live" in active
    assert f"/appointments/{later}/live" not in active
    assert f"/appointments/{later}/live" in rest
    assert "View live map" in rest
    assert "1 appointments" not in rest.split("<nav")[0]


async def test_what_is_over_stands_under_past(town):
    done, canceled, open_one = await town.appointment(), await town.appointment(), await town.appointment()
    await town.step(done, Step.START_TRAVEL)
    await town.step(done, Step.ARRIVE)
    await town.step(done, Step.COMPLETE)
    await town.cancel(canceled, "We are away that week.")
    upcoming = (await town.get("/", town.world.customer)).text
    past = (await town.get("/past", town.world.customer)).text
    assert f"/appointments/{open_one}/live" in upcoming
    assert f"/appointments/{done}/live" not in upcoming
    assert f"/appointments/{done}/live" in past
    assert "Canceled by you on" in past
    assert "“We are away that week.”" in past
    assert "No appointments yet" in (await town.get("/", town.world.stranger)).text


# -- headers -----------------------------------------------------------------------------------------------------------


async def test_pages_are_never_cached_and_allow_nothing_inline(town):
    answer = await town.get("/", town.world.customer)
    assert answer.headers["cache-control"] == "no-store"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    missing = await town.get("/nowhere", town.world.customer)
    assert missing.status_code == 404
    assert "This page isn’t here" in missing.text


async def test_a_page_that_refuses_keeps_the_menu_of_whoever_is_signed_in(town: Town) -> None:
    for path, status in {"/nothing": 404, "/health": 403}.items():
        page = await town.get(path, town.world.customer)
        assert (page.status_code, "account menu of Anna" in page.text) == (status, True)
        assert "Go to your appointments" in page.text
    assert "account menu" not in (await town.get("/nothing")).text


async def test_a_method_that_a_page_does_not_take_is_told_those_it_takes(town: Town) -> None:
    assert (await town.client.put("/sign-in")).headers["allow"] == "GET, HEAD, POST"


async def test_staff_read_when_a_position_was_taken_because_their_list_stands_still(town: Town) -> None:
    visit = await town.appointment()
    await town.step(visit, Step.START_TRAVEL)
    await town.ping(START)
    page = text_of((await town.get("/", town.world.dispatcher)).text)
    assert re.search(r"Position · of \d\d:\d\d:\d\d", page)
    assert "ago" not in page


async def test_the_live_page_offers_what_the_customer_may_do_and_nothing_to_others(town: Town) -> None:
    visit = await town.appointment()
    page = f"/appointments/{visit}/live"

    async def text(person: Person) -> str:
        return (await town.get(page, person)).text

    scheduled = await text(town.world.customer)
    assert f'href="/appointments/{visit}/modify"' in scheduled
    assert f'href="/appointments/{visit}/calendar.ics"' in scheduled
    assert f"/appointments/{visit}/modify" not in await text(town.world.dispatcher)
    await town.step(visit, Step.START_TRAVEL)
    assert f'href="/appointments/{visit}/cancel"' in await text(town.world.customer)
    assert f"/appointments/{visit}/cancel" not in await text(town.world.technician)
    await town.step(visit, Step.ARRIVE)
    working = await text(town.world.customer)
    assert 'aria-disabled="true" aria-describedby="why-not"' in working
    assert f"/appointments/{visit}/modify" not in working
    await town.step(visit, Step.COMPLETE)
    assert "/book?account=" in await text(town.world.customer)
