"""Booking ids that people can say on the phone: ``WP-7K3F-21``."""

from collections.abc import Callable, Sequence

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without I, L, O, 0 and 1, which are taken for each other."""


def booking_id(prefix: str, choice: Callable[[Sequence[str]], str]) -> str:
    """A booking id; ``choice`` picks one of a sequence (``secrets.choice``). About 83 million under one prefix."""
    letters = "".join(choice(LETTERS) for _ in range(4))
    return f"{prefix}-{letters}-{choice('123456789')}{choice('0123456789')}"
