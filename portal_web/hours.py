"""Whether a reader's clock has 12 or 24 hours, from the language their browser asks for."""

from functools import lru_cache

from babel import Locale, UnknownLocaleError
from starlette.requests import Request

MOST = 100
"""Characters of the header that are looked at."""


def twelve_hours(request: Request) -> bool:
    """True for readers of a language and country that write 2:00 PM; who names none reads 14:00."""
    return _twelve(request.headers.get("accept-language", "")[:MOST].partition(",")[0].partition(";")[0].strip())


@lru_cache(maxsize=256)
def _twelve(language: str) -> bool:
    if not language or language == "*":
        return False
    try:
        found = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return "a" in str(found.time_formats["short"].pattern)
