"""One floor as a process of its own: `python -m tests.benchmarks.floor_process starlette|broadcast REDIS_URL` on TRACKER_PORT."""

import asyncio
import gc
import os
import sys

import uvicorn
import uvloop

from tests.benchmarks import floors

TRIP = "one-trip"


def main() -> None:
    kind, redis_url, port = sys.argv[1], sys.argv[2], int(os.environ["TRACKER_PORT"])
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as the service does it
    if kind == "broadcast":
        uvloop.run(floors.broadcast(redis_url, TRIP, port, asyncio.Event()))
        return
    uvicorn.run(
        floors.app(redis_url),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        access_log=False,
        log_level="critical",  # it notices viewers that left only when it writes to them, and then complains at length
    )


if __name__ == "__main__":
    main()
