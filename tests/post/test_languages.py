"""Letters in every language: nothing left untranslated, nothing lost in translation, and no name turns the line it stands in."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from tests.post.shown import CODE, SHOWN, Names, shown
from tracker.domain.letter_kinds import Kind
from tracker.domain.letters import VEIL, Fact, veiled
from tracker.domain.tongues import FOLDER, LANGUAGES, SOURCE, own_direction, tongue
from tracker.post.message import Calendar, Envelope, Writer
from tracker.workshop.gather_messages import gathered

ALL_KINDS = [(kind, language) for kind in Kind for language in LANGUAGES]
CATALOGS = [language for language in LANGUAGES if language != SOURCE]
ISOLATED = re.compile("[\u2066-\u2068][^\u2066-\u2069]*\u2069")
TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e]")
HOSTILE = Names(
    company="Evil\r\nBcc: all@example.org",
    technician="\u202eonia\u2069\u2069 Sample",
    vehicle="<b>van</b>",
    service="\u2067Repair\r\n\r\n<script>alert(1)</script>",
    address="{when} {0.__class__} %s \u202bstreet",
    contact='Eve" <eve@example.org>',
    account="\u2066\u2066{company}",
    reason="\u202e.desolc\x00 <img src=x>",
    phone="+358 1",
)


def test_there_is_an_example_of_every_kind() -> None:
    assert set(SHOWN) == set(Kind)
    assert "ar" in CATALOGS


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", CATALOGS)
def test_every_sentence_stands_in_the_catalog_with_the_same_places(language: str) -> None:
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    wanted = {message.id for message in gathered() if message.id}
    assert len(wanted) > 100
    assert {message.id for message in catalog if message.id} == wanted  # none missing, none left over
    for message in catalog:
        if not message.id:
            continue
        assert not message.fuzzy, message.id
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert len(forms) == (catalog.num_plurals if isinstance(message.id, tuple) else 1)
        for form in forms:
            assert form, message.id
            said = message.id[1] if isinstance(message.id, tuple) else message.id
            # a plural form may say its number in a word, but never anything that will not be there
            assert places(form) <= places(said) if isinstance(message.id, tuple) else places(form) == places(said)
            if tongue(language).rtl:
                assert not re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", form)), form


@pytest.mark.parametrize(("kind", "language"), ALL_KINDS)
def test_every_kind_is_written_in_every_language(kind: Kind, language: str) -> None:
    who, words = shown(kind, language)
    html, text = Writer().html(words, who), Writer().text(words, who)
    spoken = tongue(language)
    direction = "rtl" if spoken.rtl else "ltr"
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert f'lang="{language}" dir="{direction}"' in html.partition("<body>")[2]
    assert "{" not in text
    if language == SOURCE:
        assert not re.search("[\u2066-\u2069]", text)  # nothing odd for programs that know no isolates
    if spoken.rtl:
        sentences = [words.subject, words.preview, words.pill, words.lead, words.sub, words.why, *(words.note or ())]
        for sentence in sentences:  # whatever is not Arabic keeps to itself, and every line begins on the right
            assert not re.search("[A-Za-z]", ISOLATED.sub("", ISOLATED.sub("", sentence))), sentence
            assert re.search("[\u0600-\u06ff]", sentence)
        for fact in words.facts:
            assert not re.search("[A-Za-z]", fact.name)


@pytest.mark.parametrize(("kind", "language"), ALL_KINDS)
def test_no_name_breaks_out_of_its_place(kind: Kind, language: str) -> None:
    who, words = shown(kind, language, HOSTILE)
    envelope = Envelope(
        sender="no-reply@portal.example.org",
        recipient="kaisa@example.org",
        name=HOSTILE.contact + "\r\nX-Evil: 1",
        message_id="a.b.0",
    )
    calendar = Calendar(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "REQUEST")
    raw = Writer().message(envelope, words, who, datetime(2026, 11, 24, tzinfo=UTC), calendar)
    message = email.message_from_bytes(raw, policy=default)
    assert sorted(message.keys()) == sorted(HEADERS)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == language
    assert [one.addr_spec for one in message["To"].addresses] == ["kaisa@example.org"]
    assert [one.addr_spec for one in message["From"].addresses] == ["no-reply@portal.example.org"]
    for said in (message["Subject"], message["From"], message["To"]):
        assert not TURNING.search(str(said))
        assert own_direction(str(said)) == str(said).strip()  # every isolate that is opened is closed
    parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
    assert set(parts) == {"text/plain", "text/html", "text/calendar", "application/ics"}
    assert not re.search("<(script|img|b>van)", parts["text/html"])
    assert not TURNING.search(parts["text/plain"])
    assert "\x00" not in parts["text/plain"] + parts["text/html"]
    for line in parts["text/plain"].splitlines():
        assert own_direction(line) == line.strip()


HEADERS = (
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("MIME-Version", "Content-Type", "Content-Language"),
)


def test_arabic_counts_in_its_six_forms_and_keeps_times_in_order() -> None:
    spoken = tongue("ar")
    said = [own_direction(re.sub("[\u2066-\u2069]", "", spoken.span(minutes))) for minutes in (1, 2, 5, 35, 120, 125)]
    assert said == ["دقيقة واحدة", "دقيقتين", "5 دقائق", "35 دقيقة", "ساعتين", "ساعتين و5 دقائق"]
    assert spoken.between("14:05", "14:12") == "\u206614:05–14:12\u2069"
    at = datetime(2026, 11, 24, 12, 5, tzinfo=UTC)
    assert spoken.clock(at, "Europe/Helsinki") == "14:05"
    assert spoken.clock(at, "America/New_York") == "07:05"
    assert spoken.day(at, "Europe/Helsinki") == "الثلاثاء، 24 نوفمبر"
    assert spoken.zone("Europe/Helsinki", at) == "بتوقيت هلسنكي (\u2068EET, UTC+2\u2069)"
    assert tongue("xx") is not None
    assert tongue("xx").code == tongue(None).code == SOURCE


def test_the_log_veils_a_link_wherever_it_is_written_out() -> None:
    who, words = shown(Kind.CHANGED, "en")
    token, other = "wP-3_" + "x" * 38, "wP-3_" + "x" * 37
    said = f"Open https://portal.example.org/v#{token}. Or https://portal.example.org/v#{other}, or type {token}."
    there = replace(words, note=("Pass it on", said), facts=(Fact("Link", f"https://portal.example.org/v#{other}", said),))
    seen = str(veiled(there)) + Writer().text(veiled(there), who)
    assert other not in seen  # nor the token, which begins so
    assert "/v#••••, or type ••••." in seen
    assert veiled(words) == words


def test_english_keeps_an_arabic_name_to_itself() -> None:
    _, words = shown(Kind.TRAVELING, "en", Names(technician="آمنة"))
    assert words.subject == "\u2068آمنة\u2069 is on the way, expected 14:05 to 14:12"


@pytest.mark.parametrize(("kind", "language"), ALL_KINDS)
def test_the_log_shows_no_letter_that_opens_anything(kind: Kind, language: str) -> None:
    who, words = shown(kind, language)
    whole, seen = Writer().text(words, who), Writer().text(veiled(words), who)
    assert (CODE in whole) is (kind in (Kind.INVITATION, Kind.RESET))
    assert CODE not in seen + veiled(words).preview + Writer().html(veiled(words), who)
    assert (VEIL in seen) is (CODE in whole)
    assert not re.search(r"#[-\w]{12,}", seen)
