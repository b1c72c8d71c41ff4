"""Brings the catalogs of letters up to date with the code, or begins one.

usage: python -m tracker.workshop.gather_messages [LANGUAGE…]
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from tracker.domain.tongues import FOLDER

PACKAGE = Path(__file__).parent.parent
SOURCES = ("domain/letters*.py", "domain/tongues.py", "post/message.py", "actions/letters/*.py")
"""Where sentences of letters are written."""
WORDS = {"say": None, "many": (1, 2)}
"""What makes a sentence of a language (`tongues.Tongue`)."""


def gathered() -> Catalog:
    """Every sentence of the code, in the order in which it stands there."""
    found = Catalog(project="technician-tracker", charset="utf-8")
    for file in _sources():
        for _line, message, _comments, context in extract_from_file("python", file, keywords=WORDS):
            found.add(message, locations=[(f"tracker/{file.relative_to(PACKAGE).as_posix()}", None)], context=context)  # type: ignore[list-item]
    return found


def _sources() -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(PACKAGE.glob(pattern))


def main(languages: list[str]) -> None:
    """Write the named catalogs, or all there are: new sentences stand in them untranslated, those gone are dropped."""
    for code in languages or sorted(file.stem for file in FOLDER.glob("*.po")):
        path = FOLDER / f"{code}.po"
        catalog = Catalog(locale=code, project="technician-tracker", charset="utf-8", fuzzy=False)
        if path.exists():
            with path.open("rb") as old:
                catalog = read_po(old, locale=code)
        catalog.update(gathered(), no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        with path.open("wb") as new:
            write_po(new, catalog, width=120, include_lineno=False, ignore_obsolete=True)
        missing = sum(not translated(one) for one in catalog if one.id)
        print(f"{path.name}: {len(catalog)} sentences, {missing} of them untranslated")


def translated(message: Message) -> bool:
    """True if it stands there in the other language, in each of its plural forms."""
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


if __name__ == "__main__":
    main(sys.argv[1:])
