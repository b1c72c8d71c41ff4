"""How roads ask over HTTP: no proxy of the environment, and one set of trusted certificates for the whole process."""

import functools
import ssl
from typing import Any

import httpx


def client(**more: Any) -> httpx.AsyncClient:
    """A client with connections of its own; ``more`` as httpx takes it."""
    return httpx.AsyncClient(trust_env=False, verify=_trusted(), **more)


@functools.cache
def _trusted() -> ssl.SSLContext:
    # reading the certificates is most of what a client costs: 20 ms, three times at every start and every command
    return httpx.create_ssl_context(trust_env=False)
