"""A process that has loaded the service and forks a worker for each line it is told: a kill -9 costs a tenth of a second."""

import os
import sys

import tracker.app
import tracker.worker  # noqa: F401 -- loaded once, for all children
from tracker.__main__ import main


def run() -> None:
    """Per line: fork, say the child's pid, wait for it, say its end."""
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            os.close(0)
            main(["worker"])
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("gone", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    run()
