"""What goes into the log when something breaks: where it broke, never what was in hand there."""

import subprocess
import sys

import pytest

BREAKS = """
import logging, structlog
from tracker import logs
logs.set_up({fmt!r}, "info")
def deliver(token: str, position: tuple[float, float]) -> None:
    raise RuntimeError("it broke")
held, place = "t0ken" + "-in-hand", (60 + 0.169912, 24 + 0.938412)
for tell in (structlog.get_logger().exception, logging.getLogger("uvicorn.error").exception):
    try:
        deliver(held, place)
    except RuntimeError:
        tell("something_broke")
"""


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_a_traceback_says_where_but_not_with_which_token_or_position(fmt: str) -> None:
    ran = subprocess.run([sys.executable, "-c", BREAKS.format(fmt=fmt)], capture_output=True, text=True, check=True)
    assert ran.stderr.count("something_broke") == 2
    assert ran.stderr.count("RuntimeError: it broke") == 2
    assert "deliver" in ran.stderr
    assert "t0ken-in-hand" not in ran.stderr
    assert "60.1699" not in ran.stderr
