"""What people type: invisible characters go, the languages of the world stay; one address however it is typed."""

import pytest

from tracker.domain.emails import ascii_host, one_way, seen
from tracker.domain.texts import one_line, several_lines


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("  Anna\r\nBcc: x@y.zz ", "Anna Bcc: x@y.zz"),
        ("a\x00b\x1b[31m\x85c", "a b [31m c"),
        ("\u202elive\u2066", "live"),
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its joiner
        ("👨\u200d👩\u200d👧 Ltd", "👨\u200d👩\u200d👧 Ltd"),
        ("\u200b\u00ad\ufeff", ""),
        ("\u0301", ""),
        ("\ud800\uffff", ""),
        ("…", "…"),
    ],
)
def test_a_name_is_what_can_be_seen(said: str, kept: str) -> None:
    assert one_line(said) == kept
    assert several_lines(kept) == kept


def test_line_breaks_of_a_longer_text_stay() -> None:
    assert several_lines(" Ring twice.\r\n\r\n\x00 Dog.\u2028End \n") == "Ring twice.\n\n  Dog.\nEnd"
    assert several_lines("\u202e\n\u200b") == ""


@pytest.mark.parametrize(
    "said",
    [
        " ANNA@EXÄMPLE.ORG ",
        "anna@exa\u0308mple.org",
        "anna@xn--exmple-cua.org",
        "Anna@ｅxämple。org",
        "anna@ex\u00adämple.org",
        "an\x00na@exämple.org",
    ],
)
def test_an_address_is_the_same_however_it_is_typed(said: str) -> None:
    assert one_way(said) == "anna@exämple.org"


def test_an_address_is_not_taken_for_another() -> None:
    assert one_way("ß@straße.example") == "ß@straße.example"
    assert ascii_host("straße.example") == "xn--strae-oqa.example"  # a letter to strasse.example would go to somebody else
    assert one_way("e\u0301@x.yy") == one_way("É@x.yy") == "é@x.yy"
    assert one_way("not an address") == "not an address"
    assert len(one_way("x" * 10_000 + "@x.yy")) <= 254
    assert not seen("zero\u200bwidth@x.yy")
