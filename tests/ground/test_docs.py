"""What the documents promise is there: every variable, every command, every file that is named."""

import re
from pathlib import Path

import click

from tracker.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_every_variable_stands_in_the_table() -> None:
    read = set(re.findall(r'"((?:TRACKER_|DATABASE_|REDIS_)[A-Z_]+)"', (ROOT / "tracker/config.py").read_text()))
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs/operating.md").read_text()))
    assert read
    assert read <= told
    assert {name for name in told if name.startswith("TRACKER_")} <= read


def test_every_command_explains_itself() -> None:
    def commands(group: click.Group) -> list[click.Command]:
        found = [(one, commands(one) if isinstance(one, click.Group) else []) for one in group.commands.values()]
        return [each for one, below in found for each in [one, *below]]

    assert all(command.help for command in commands(main))


def test_documents_name_files_that_exist() -> None:
    for document in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
