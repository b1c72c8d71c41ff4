"""``python -m tests.web.openapi`` writes docs/openapi.json from the doors themselves."""

from pathlib import Path

import msgspec

from tracker.web.api import operations
from tracker.web.openapi import document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def page() -> bytes:
    """The document, laid out for people."""
    return msgspec.json.format(msgspec.json.encode(document(operations())), indent=2) + b"\n"


if __name__ == "__main__":
    PAGE.write_bytes(page())
