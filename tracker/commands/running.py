"""`tracker serve` and `tracker worker`: one process each, until SIGTERM."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
import uvloop

from portal_web.doors import portal
from tracker import logs, worker
from tracker.actions.house import House
from tracker.app import create_app, open_house
from tracker.config import Config, read
from tracker.web.health import serve_metrics
from tracker.web.listener import certificate, listener

log = structlog.get_logger()


def serve_web() -> None:
    """Serve until SIGTERM or Ctrl-C; answers in flight are finished, sockets closed with 1012."""
    config = read()
    logs.set_up(config.log_format, config.log_level)

    async def serve(house: House) -> None:
        pages = portal(config)
        app = create_app(house, config, pages.routes, refusal_page=pages.refusal_page)
        server = listener(app, config.host, config.port, forwarded_allow_ips=config.trusted_proxies, **_tls(config))
        _settle_down()
        await server.serve()

    uvloop.run(_in_a_house(config, serve))


def run_worker() -> None:
    """Turn every background loop until SIGTERM or Ctrl-C."""
    config = read()
    logs.set_up(config.log_format, config.log_level)

    async def work(house: House) -> None:
        stop = asyncio.Event()
        for sign in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        house.hub.subscription.start()
        _settle_down()
        log.info("working", loops=len(worker.LOOPS))
        await worker.run(house, stop)
        await house.hub.subscription.stop()

    uvloop.run(_in_a_house(config, work))


async def _in_a_house(config: Config, work: Callable[[House], Awaitable[None]]) -> None:
    if config.metrics_port:
        try:
            serve_metrics(config.metrics_host, config.metrics_port)
        except OSError:  # web and worker on one machine share an environment: the first has the port
            log.warning("metrics_port_taken", port=config.metrics_port)
    async with open_house(config) as house:
        await work(house)


def _tls(config: Config) -> dict[str, Any]:
    if config.tls_cert is None or config.tls_key is None:
        return {}
    return certificate(Path(config.tls_cert), Path(config.tls_key))


def _settle_down() -> None:
    """What is loaded by now stays: the collector need not look at it again (a quarter of the CPU was collecting)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
