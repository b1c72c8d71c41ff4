"""When something that failed is tried again: later and later, each time at a moment of its own."""

from datetime import datetime, timedelta

FIRST_S, MOST_S, LEAST_S = 30.0, 3600.0, 2.0
GIVE_UP = timedelta(hours=48)
"""After that a letter that was refused for a while only is parked, and staff are told."""


def wait_s(attempts: int, share: float) -> float:
    """Seconds until the next try after so many (1, 2, …) that failed; ``share`` is a random number, 0 ≤ share < 1.

    Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015): all that failed at once do not come back at once.
    """
    return LEAST_S + share * (min(MOST_S, FIRST_S * 2.0 ** min(attempts - 1, 30)) - LEAST_S)


def given_up(due_at: datetime, next_try: datetime) -> bool:
    """True if the next try would come too late to be worth it."""
    return next_try - due_at > GIVE_UP
