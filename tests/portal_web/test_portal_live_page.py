"""The live page's text in every state: rendered without a browser, read as people (and screen readers) would."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from portal_web.assets import portal_assets
from portal_web.day_view import line_of
from portal_web.facts import Late
from portal_web.live_page import page_context
from portal_web.pages import Pages
from portal_web.trip import Arrival
from tests.portal_web.scenes import IN_PROGRESS, LIVE, NOW, SCENES, SCHEDULED, SITE, TRAVELING, at
from tracker.web.tiles import CREDIT, CREDIT_URL

PAGES = Pages(portal_assets())
NO_MAP = {"kind": "none", "credit": CREDIT, "credit_url": CREDIT_URL}


def page_of(visit, trip, now=NOW):
    icons = PAGES.assets.url("img/icons.svg")
    context = page_context(visit, trip, now, SITE, icons)
    return PAGES.text("live/page.html", site=SITE, demo=False, signed_in=True, basemap=NO_MAP, **context)


def text_of(html):
    body = html[html.index('<div class="live') :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", body)).replace("&#39;", "'")


@pytest.fixture(scope="module", params=list(SCENES))
def scene(request):
    visit, trip = SCENES[request.param]
    return request.param, page_of(visit, trip)


def test_every_page_is_free_of_inline_style_script_and_handlers(scene):
    _, html = scene
    assert " style=" not in html
    assert not re.search(r"<[^>]* on[a-z]+=", html)
    assert not re.search(r"<script(?![^>]*\bsrc=)", html)
    assert "<style" not in html


def test_every_page_names_only_itself(scene):
    _, html = scene
    hosts = set(re.findall(r'(?:src|href)="(?:https?:)?//([^/"]+)', html))
    assert hosts <= {"www.openstreetmap.org"}  # a link people may follow, never something the page loads
    assert not re.search(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?//', html)


def test_every_page_has_one_heading_of_first_rank_and_all_ids_once(scene):
    _, html = scene
    assert len(re.findall(r"<h1\b", html)) == 1
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_every_clock_time_in_sight_is_a_time_element(scene):
    _, html = scene
    body = html[html.index("<main") :]
    for drawn in (r"<div data-ribbon>.*?</div>", r"<svg.*?</svg>", r"<time[^>]*>[^<]*</time>"):
        body = re.sub(drawn, "", body, flags=re.DOTALL)
    assert not re.search(r"\b[0-2][0-9]:[0-5][0-9]\b", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    ("name", "sentences"),
    {
        "confirmed": (
            "Technician arrives today at 14:00",
            "Tuesday 24 November, Helsinki time (EET, UTC+2)",
            "Aino’s location is not shared yet. The live map opens here when Aino sets off to you, and closes on arrival.",
        ),
        "traveling": (
            "Live · 6 s ago",
            "Position · of 14:02:11",  # in its place where no script lets the age run on
            "Aino arrives between 14:05–14:12",
            "In 3 to 10 min. That is 5 to 12 min after the 14:00 you booked.",
            "White van ABC-123",
            "Aino stops sharing on arrival.",
            "Without the map: Aino is on Kaivokatu, about 1.2 km away by road.",
            "Position taken at 14:02:11, accurate to about 45 m.",
            "On the waysince 13:48",
        ),
        "standing": ("Standing · since 13:58", "Aino arrives between 14:05–14:12", "Aino is standing on Kaivokatu"),
        "delayed": ("Delayed · 45 s ago", "Aino arrives between 14:05–14:13"),
        "stale": (
            "Stale · last seen 4 min ago",
            "Stale · last seen 13:58:17",
            "Aino probably arrives between 14:05–14:16",
            "The range is wider because we have had no new position since 13:58. Aino is probably closer than shown.",
            "The van may now be anywhere on the striped stretch.",
            "last seen on Kaivokatu at 13:58:17, about 1.2 km away by road. No position since.",
        ),
        "lost": (
            "Lost · last seen 13:49",
            "We can’t see Aino’s position",
            "Expected by 14:20",
            "No position for 13 min, so the van is no longer drawn.",
            "The visit is still on.",
            "Call the service desk if Aino has not arrived by 14:20.",
        ),
        "paused": (
            "Paused · since 14:02",
            "Aino is expected between 14:05–14:25",
            "Location sharing is paused. The visit is still on.",
            "Technicians can pause sharing",
        ),
        "hidden": (
            "Just started · not shown yet",
            "The van appears on the map a little later,",
            "Aino is expected between 14:05–14:30",
        ),
        "in-progress": (
            "Aino is working. Likely done around 15:10",
            "Started 14:09.",
            "Location sharing ended at 14:09, when Aino arrived. Nobody can see the van on this page any more.",
        ),
        "completed": ("Visit completed", "Tuesday 24 November, 14:09 to 15:06", "This page shows no position of the technician."),
        "canceled": (
            "This visit is canceled",
            "Canceled today at 13:52 by Kaisa Kokeilu. Nobody is coming.",
            "“The heat pump works again after a restart.”",
            "The live map for this visit closed at 13:52.",
        ),
    }.items(),
)
def test_each_state_says_what_the_design_says(name, sentences):
    text = text_of(page_of(*SCENES[name]))
    for sentence in sentences:
        assert sentence in text


@pytest.mark.parametrize("name", ["confirmed", "in-progress", "completed", "canceled", "lost", "paused", "hidden"])
def test_the_vehicle_and_the_place_of_the_van_are_told_only_while_it_is_seen(name):
    text = text_of(page_of(*SCENES[name]))
    assert ("White van" in text) == (name in {"lost", "paused", "hidden"})
    assert ("Kaivokatu" in text) == (name == "lost")


@pytest.mark.parametrize(
    ("interval_s", "levels"),
    [
        (1, {15: "Live", 16: "Delayed", 60: "Delayed", 61: "Stale", 300: "Stale", 301: "Lost"}),
        (5, {15: "Live", 16: "Delayed", 60: "Delayed", 61: "Stale", 300: "Stale", 301: "Lost"}),
        (30, {60: "Live", 61: "Delayed", 120: "Delayed", 121: "Stale", 600: "Stale", 601: "Lost"}),
    ],
)
def test_how_fresh_a_position_is_goes_by_the_devices_own_interval(interval_s, levels):
    """M5: live up to max(15 s, 2 x), delayed up to max(60 s, 4 x), stale up to max(5 min, 20 x), lost after that."""
    for seconds, word in levels.items():
        then = NOW - timedelta(seconds=seconds)
        seen = replace(LIVE.seen, fix_at=then, contact_at=then, interval_s=interval_s)
        assert f"{word} · " in text_of(page_of(TRAVELING, replace(LIVE, seen=seen))), seconds
        spoke = replace(seen, contact_at=NOW - timedelta(seconds=3))
        at_rest = text_of(page_of(TRAVELING, replace(LIVE, seen=spoke)))
        assert ("Standing · since 1" in at_rest) is (word != "Live"), seconds


def test_no_coordinates_but_those_of_the_address_are_in_the_page(scene):
    _, html = scene
    assert set(re.findall(r"\d{2}\.\d{4,}", html)) <= {"60.16617", "24.94617"}


def test_what_people_wrote_stays_text():
    evil = replace(
        SCENES["canceled"][0], cancel_reason="</p><script>alert(1)</script>", canceled_by='**"><img src=x onerror=alert(1)>**'
    )
    html = page_of(evil, None)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_an_early_end_in_the_past_is_said_as_any_minute():
    text = text_of(page_of(TRAVELING, LIVE, now=at("14:06")))
    assert "Any minute, latest 14:" in text
    assert "14:05" not in text


@pytest.mark.parametrize("name", ["hidden", "paused"])
def test_a_van_that_nobody_sees_is_never_said_to_come_any_minute(name):
    trip = replace(SCENES[name][1], eta=Arrival(at("14:00"), at("14:28"), "booked"))
    assert "is expected between 14:10–14:28" in text_of(page_of(TRAVELING, trip, now=at("14:06")))
    text = text_of(page_of(TRAVELING, trip, now=at("14:22")))
    assert "Any minute" not in text
    assert "Expected by 14:30" in text
    assert "The time it was expected has passed." in text_of(page_of(TRAVELING, trip, now=at("14:31")))


def test_the_range_never_ends_in_the_past():
    trip = replace(LIVE, seen=replace(LIVE.seen, fix_at=at("14:29:58"), contact_at=at("14:29:58")))
    assert "Any minute, latest 14:31" in text_of(page_of(TRAVELING, trip, now=at("14:30")))


def test_a_delay_told_beforehand_is_the_time_that_counts_and_the_booked_one_stands_beside_it():
    text = text_of(page_of(replace(SCHEDULED, late=Late(at("14:25"), at("14:45"), at("13:50"))), None))
    assert "Technician now arrives today between 14:25–14:45" in text
    assert "Aino is running later than booked. You booked 14:00. The visit is still on. As of 13:50." in text


def test_a_visit_on_another_day_says_which():
    text = text_of(page_of(SCHEDULED, None, now=NOW - timedelta(days=3)))
    assert "Technician arrives on Tuesday 24 November at 14:00" in text


def test_the_end_of_the_work_is_the_same_time_for_the_customer_and_the_desk():
    visit, now = replace(IN_PROGRESS, ends_at=at("15:07") + timedelta(seconds=30)), at("15:01")
    assert "Likely done around 15:07" in text_of(page_of(visit, None, now=now))
    assert "until about [15:07](" in line_of(visit, None, now, "Kokeilu", "Aino Esimerkki", None).words


def test_a_visit_that_overruns_never_ends_in_the_past():
    assert "Likely done around 15:35" in text_of(page_of(IN_PROGRESS, None, now=at("15:31")))
