"""Which passwords are taken: long ones that nobody guesses."""

import pytest

from tracker.domain.codes import Purpose, code_of, fingerprint, normal
from tracker.domain.passwords import MOST, fault

OWN = ["anna.esimerkki@example.org", "Anna Esimerkki", "Waypoint Oy"]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse",
        "tunturi lampi",
        "kaisa ja koira 7",
        "Ääkköset ovat kivoja",
        "x9$kQ2!vLp0z",
        "esimerkki joka ei ole nimi",
        "🐎🔋📎 and a bit",
    ],
)
def test_good_ones_are_taken(password: str) -> None:
    assert fault(password, OWN) is None


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("ninechars", "too short. Add 3 more characters."),
        ("elevenchars", "too short. Add 1 more character."),
        ("", "too short. Add 12 more"),
        ("x" * (MOST + 1), "too long"),
        ("aaaaaaaaaaaaaaaa", "repeats itself"),
        ("ab ab ab ab ab ab", "repeats itself"),
        ("1234567890123", "repeats itself"),
        ("9876543210 98", "repeats itself"),
        ("Qwertyuiop12", "repeats itself"),
        ("            ", "repeats itself"),
        ("Password2026!", "Many people"),
        ("password password", "Many people"),
        ("correct horse battery staple", "Many people"),
        ("anna.esimerkki@example.org", "too close"),
        ("Anna-Esimerkki", "too close"),
        ("waypoint2026", "too close"),
        ("ESIMERKKI 1234", "too close"),
        ("Waypoint Oy 26", "too close"),
    ],
)
def test_what_others_would_try_first_is_not(password: str, said: str) -> None:
    found = fault(password, OWN)
    assert found
    assert said in found


def test_codes_are_read_however_they_are_typed() -> None:
    code = code_of(b"secret", Purpose.INVITATION, "an id")
    assert len(normal(code)) == 12
    stored = fingerprint(b"secret", Purpose.INVITATION, code)
    for typed in (code.lower(), f" {code.replace('-', ' ')}\n", code.replace("-", "–"), code.replace("0", "o").replace("1", "l")):
        assert fingerprint(b"secret", Purpose.INVITATION, typed) == stored
    assert fingerprint(b"secret", Purpose.RESET, code) != stored
    assert fingerprint(b"other secret", Purpose.INVITATION, code) != stored
    assert code_of(b"secret", Purpose.INVITATION, "another id") != code
    assert len(normal(code_of(b"secret", Purpose.RESET, "an id"))) == 24
