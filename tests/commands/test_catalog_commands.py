"""The rules of booking written by commands alone (B2, B4, B7): what they say, what they refuse, never a traceback."""

import json
from pathlib import Path

from click.testing import CliRunner

from tests.commands.test_commands import done, refused


def test_what_can_be_booked_and_who_can_come(tracker: CliRunner, tmp_path: Path) -> None:
    area = {"type": "Polygon", "coordinates": [[[24, 60], [25, 60], [25, 61], [24, 60]]]}
    (tmp_path / "west.geojson").write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": area}))
    (tmp_path / "bad.geojson").write_text("{")
    done(tracker, "skill", "add", "Gas")
    assert "Gas" in done(tracker, "skill", "list")
    west = done(tracker, "territory", "add", "West", str(tmp_path / "west.geojson")).strip()
    assert "60.0000 24.0000 to 61.0000 25.0000" in done(tracker, "territory", "list")
    service = done(tracker, "service", "add", "Boiler check", "--minutes", "45", "--skill", "gas").strip()
    assert "45 min, by customers, for all, needs 1 skills" in done(tracker, "service", "list")
    changed = done(tracker, "service", "change", "boiler check", "--crew", "2", "--by-staff", "--skill", "", "--inactive")
    assert changed.startswith(f"{service} Boiler check, 45 min, by staff, 2 technicians, for all (out of use)")
    maya = done(
        tracker, "technician", "add", "Maya", "--home", "60.2", "24.6", "--hours", "1-5 08:00-16:00, 6 22:00-02:00",
        "--breaks", "1 11:30-12:00", "--skill", "Gas", "--territory", "West",
    ).strip()  # fmt: skip
    away = done(tracker, "technician", "away", maya, "2036-12-01", "2036-12-02 12:00", "--reason", "Training").strip()
    shown = done(tracker, "technician", "show", maya)
    for part in (
        "Europe/Helsinki",
        "works     Saturday 22:00 to 02:00",
        "rests     Monday 11:30 to 12:00",
        "skills    Gas",
        "serves    West",
        f"away      {away} 2036-12-01 00:00 to 2036-12-02 12:00, Training",
    ):
        assert part in shown
    assert "One technician serves this territory." in refused(tracker, "territory", "remove", west)
    done(tracker, "technician", "back", away)
    refused(tracker, "technician", "back", away)
    account = done(tracker, "account", "add", "Esimerkki", "--address", "Katu 1", "--at", "60.2", "24.6").splitlines()[0]
    assert f"never  {maya} Maya" in done(tracker, "who-comes", account, "--never", maya)
    assert "never  -" in done(tracker, "who-comes", account, "--anybody")
    assert "2036-12-24 Shut" in done(tracker, "closed-day", "--close", "2036-12-24", "Shut")
    assert "2036-12-24 Shut" in done(tracker, "closed-day")
    done(tracker, "closed-day", "--open", "2036-12-24")
    assert "Shut" not in done(tracker, "closed-day")
    done(tracker, "technician", "change", maya, "--hours", "", "--territory", "", "--title", "Gas fitter")
    shown = done(tracker, "technician", "show", maya)
    assert "works" not in shown
    assert "everywhere" in shown
    done(tracker, "territory", "change", "West", "--name", "Far west", "--inactive")
    assert "Far west, 60.0000 24.0000 to 61.0000 25.0000 (out of use)" in done(tracker, "territory", "list")
    done(tracker, "territory", "remove", "Far west")
    done(tracker, "skill", "remove", "Gas")
    for wrong in (
        ["technician", "add", "Onni"],
        ["technician", "change", maya, "--hours", "always"],
        ["technician", "change", "0" * 16, "--title", "x"],
        ["technician", "away", maya, "2036-12-02", "2036-12-01"],
        ["territory", "add", "East", str(tmp_path / "bad.geojson")],
        ["service", "change", "Nothing", "--minutes", "60"],
        ["service", "change", service, "--crew", "2", "--by-customers"],
        ["who-comes", account, "--never", "0" * 16],
    ):
        refused(tracker, *wrong)
