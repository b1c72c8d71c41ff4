"""Whose tries are counted together."""

import pytest

from tracker.domain.networks import one_line


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("somewhere", "somewhere"),
        ("", ""),
    ],
)
def test_one_line_is_one_however_its_addresses_are_written(address: str, counted: str) -> None:
    assert one_line(address) == counted
