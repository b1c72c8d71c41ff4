"""The commands an operator types: what they say, what they refuse, never a traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tracker.__main__ import main

PASSWORD = "correct horse battery"


def done(tracker: CliRunner, *arguments: str) -> str:
    result = tracker.invoke(main, arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(tracker: CliRunner, *arguments: str) -> str:
    result = tracker.invoke(main, arguments)
    assert (result.exit_code, type(result.exception)) == (1, SystemExit), (result.output, result.exception)
    assert result.output.strip()
    return result.output


def test_people_and_phones_are_added_listed_and_ended(unmigrated: CliRunner) -> None:
    tracker = unmigrated
    done(tracker, "migrate")
    assert "up to date" in done(tracker, "migrate")
    technician = done(tracker, "user", "technician", "Maya", "--zone", "Europe/Helsinki").strip()
    done(tracker, "user", "add", "Desk@Example.org", "--name", "Desk", "--role", "admin", "--password", PASSWORD)
    maya = ["--name", "Maya", "--role", "technician", "--technician", technician, "--password", PASSWORD]
    done(tracker, "user", "add", "maya@example.org", *maya)
    first, second = (done(tracker, "user", "phone", technician) for _ in range(2))
    assert "http://localhost:8000/i/" in first
    one, other = (said.split()[1] for said in (first, second))
    assert f"* {one}" in done(tracker, "user", "phones", technician)
    done(tracker, "user", "choose", other)
    assert f"* {other}" in done(tracker, "user", "phones", technician)
    done(tracker, "user", "revoke", one)
    refused(tracker, "user", "revoke", one)
    refused(tracker, "user", "choose", one)
    assert one not in done(tracker, "user", "phones", technician)
    listed = done(tracker, "user", "list")
    assert "desk@example.org" in listed
    assert PASSWORD not in listed
    assert "already" in refused(tracker, "user", "add", "desk@example.org", *maya)
    done(tracker, "user", "end", "maya@example.org")
    assert "maya@example.org" not in done(tracker, "user", "list")
    refused(tracker, "user", "end", "maya@example.org")


@pytest.mark.parametrize("command", [["letters"], ["user", "list"], ["token", "list"], ["settings", "list"]])
def test_without_migrations_every_command_says_what_to_do_first(unmigrated: CliRunner, command: list[str]) -> None:
    assert "run `tracker migrate`" in refused(unmigrated, *command)


@pytest.mark.parametrize(
    "wrong",
    [
        ["user", "technician", "Onni", "--zone", "Mars/Base"],
        ["user", "technician", "Onni", "--hours", "always"],
        ["user", "technician", "Onni", "--hours", "1-5 17:00-17:00"],
        ["user", "phone", "0" * 16],
        ["user", "phones", "0" * 16],
        ["user", "revoke", "0" * 16],
        ["user", "add", "x@example.org", "--name", "x", "--role", "admin", "--password", "short"],
        ["user", "add", "x@example.org", "--name", "x", "--role", "technician", "--password", PASSWORD],
        ["settings", "set", "points_days", "61"],
        ["settings", "set", "no_such_setting", "1"],
    ],
)
def test_what_cannot_be_is_refused_in_words(tracker: CliRunner, wrong: list[str]) -> None:
    refused(tracker, *wrong)


def test_settings_are_listed_and_set(tracker: CliRunner) -> None:
    assert "points_days                  7" in done(tracker, "settings", "list")
    done(tracker, "settings", "set", "points_days", "14")
    assert "points_days                  14" in done(tracker, "settings", "list")


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "doctor"])
def test_a_bad_configuration_says_all_of_it_and_starts_nothing(unmigrated: CliRunner, tmp_path: Path, command: str) -> None:
    unmigrated.env |= {"TRACKER_PUBLIC_URL": "http://tracker.example.org", "REDIS_URL": "nowhere", "TRACKER_LOG_LEVEL": "loud"}
    said = refused(unmigrated, command)
    assert all(name in said for name in ("TRACKER_PUBLIC_URL", "REDIS_URL", "TRACKER_LOG_LEVEL"))
    assert not (tmp_path / "data").exists()


def test_the_doctor_says_what_is_missing(unmigrated: CliRunner, tmp_path: Path) -> None:
    tracker = unmigrated
    assert "tracker migrate" in refused_by_the_doctor(tracker)
    done(tracker, "migrate")
    said = done(tracker, "doctor")
    assert "records        ok" in said
    assert "live           ok" in said
    tracker.env |= {"REDIS_URL": f"unix://{tmp_path}/nobody"}
    assert "live           away" in refused_by_the_doctor(tracker)


def refused_by_the_doctor(tracker: CliRunner) -> str:
    result = tracker.invoke(main, ["doctor"])
    assert result.exit_code == 1, result.output
    return result.output
