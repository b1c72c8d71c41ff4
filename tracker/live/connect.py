"""Connections to Redis: a pool that waits instead of refusing, checks its connections, and knows unix sockets and clusters."""

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ClusterError, NoScriptError, ReadOnlyError, RedisClusterException, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

__all__ = [
    "AWAY",
    "Client",
    "NoScriptError",
    "Redis",
    "RedisCluster",
    "RedisConnectionError",
    "RedisError",
    "RedisTimeoutError",
    "connect",
    "is_cluster",
    "subscriber",
]

type Client = Redis | RedisCluster

AWAY = (RedisConnectionError, RedisTimeoutError, ReadOnlyError, ClusterError, RedisClusterException, OSError)
"""What redis-py raises when the server, or the part of a cluster that is asked, does not answer: LiveUnavailable to callers."""

CLUSTER_SCHEME = "redis+cluster://"


class _GoneAtOnce(Connection):
    """A connection that is no connection any more from when it is given up.

    Theirs waits for the end of a socket while others may still take it from the pool: they write into what is closing, and
    the new socket they get for it is forgotten when the wait is over, open for ever.
    """

    async def disconnect(self, nowait: bool = False, *args: Any, **kwargs: Any) -> None:
        await super().disconnect(True, *args, **kwargs)


class _GoneAtOnceTLS(_GoneAtOnce, SSLConnection):
    pass


class Cluster(RedisCluster):
    """redis-py's client, which knows the cluster before it asks it anything.

    Theirs chooses the node before it has read who holds what: until the first reading is over, and again during each later
    one, every command goes to a node by chance and most come back MOVED. On every fifth it closes all its connections, those
    in use as well, so that a burst broke off itself, read the topology anew and began once more, until its tries were spent.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._asking = 0
        kind = _GoneAtOnceTLS if self.connection_kwargs["connection_class"] is SSLConnection else _GoneAtOnce
        self.connection_kwargs["connection_class"] = kind
        for node in self.nodes_manager.startup_nodes.values():
            node.connection_class = kind

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        self._asking += 1
        try:
            await self.initialize()  # returns at once when it has been done; one reads for all
            return await super().execute_command(*args, **kwargs)
        finally:
            self._asking -= 1

    async def aclose(self) -> None:
        """Close every connection, also when the last command had left it in doubt who holds what: theirs would close none."""
        await super().aclose()
        if not self._asking:  # else a command calls for it, which goes on afterwards
            await self.nodes_manager.aclose()
            await self.nodes_manager.aclose("startup_nodes")


def is_cluster(url: str) -> bool:
    """True for ``redis+cluster://host:port``: one node of a cluster, which names the others."""
    return url.startswith(CLUSTER_SCHEME)


def connect(url: str, *, max_connections: int = 64, timeout_s: float = 2.0) -> Client:
    """A client for ``unix:///path``, ``redis://``, ``rediss://`` or ``redis+cluster://``; connects when first used.

    redis-py's usual pool refuses the 101st simultaneous command; this one lets it wait. ``timeout_s`` bounds connecting
    and each answer. One quick retry covers a connection that died unnoticed; more would only hold the phone's ack.
    """
    if is_cluster(url):
        return Cluster.from_url(
            url.replace(CLUSTER_SCHEME, "redis://", 1),
            max_connections=max_connections,
            socket_timeout=timeout_s,
            reinitialize_steps=0,  # a slot that has moved is looked for at its new node: no reason to break anything off
            protocol=2,
        )
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.05, base=0.01), 1),
        protocol=2,
    )
    return Redis.from_pool(pool)  # owns the pool: closed with the client


def subscriber(url: str) -> Redis:
    """A plain client to subscribe with: on a cluster any one node carries every published message."""
    client = connect(url.replace(CLUSTER_SCHEME, "redis://", 1), max_connections=8)
    assert isinstance(client, Redis)  # noqa: S101 - the cluster's scheme was taken off above
    return client
