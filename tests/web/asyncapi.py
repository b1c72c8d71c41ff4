"""``python -m tests.web.asyncapi`` writes docs/asyncapi.yaml from the sockets' own types."""

from pathlib import Path

import msgspec
import yaml

from tracker.web.asyncapi import document

PAGE = Path(__file__).resolve().parents[2] / "docs" / "asyncapi.yaml"
HEAD = "# Both sockets. Made from the types in the code: `python -m tests.web.asyncapi`; tests hold every real frame to it.\n"


def page() -> str:
    """The document, laid out for people."""
    return HEAD + yaml.safe_dump(msgspec.to_builtins(document()), sort_keys=False, allow_unicode=True, width=120)


if __name__ == "__main__":
    PAGE.write_text(page())
