"""The commands on a machine of their own, with nothing of this test's own environment."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

OURS = ("DATABASE_URL", "REDIS_URL", "TRACKER_PUBLIC_URL", "TRACKER_SECRET", "TRACKER_PORT")


@pytest.fixture
def unmigrated(tmp_path: Path) -> CliRunner:
    """The commands in an empty folder."""
    return CliRunner(env=dict.fromkeys(OURS) | {"TRACKER_DATA": str(tmp_path / "data")})


@pytest.fixture
def tracker(unmigrated: CliRunner, tmp_path: Path, sqlite_template: Path) -> CliRunner:
    """The commands where `tracker migrate` has run."""
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template / "tracker.db", tmp_path / "data" / "tracker.sqlite")
    return unmigrated
