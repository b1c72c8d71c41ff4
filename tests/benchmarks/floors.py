"""What the service is measured against: the barest server of each kind on the same transport, and the design of the tutorials."""

import asyncio
from datetime import datetime
from typing import Literal

import msgspec
import redis.asyncio
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect


class Fix(msgspec.Struct):
    seq: int
    at: datetime
    lat: float
    lon: float
    acc: float | None = None
    speed: float | None = None
    course: float | None = None
    battery: float | None = None


class Pings(msgspec.Struct, tag_field="type", tag="pings"):
    sent: datetime
    pings: list[Fix]


class Hello(msgspec.Struct, tag_field="type", tag="hello"):
    token: str
    boot: str
    first: int
    device: str


_decoder = msgspec.json.Decoder(Hello | Pings)


class Ack(msgspec.Struct):
    type: Literal["ack"]
    seq: int


async def acks(socket: WebSocket) -> None:
    """The floor of S1: validate, acknowledge, forget."""
    await socket.accept()
    try:
        while True:
            frame = _decoder.decode(await socket.receive_text())
            if isinstance(frame, Pings):
                await socket.send_text(msgspec.json.encode(Ack("ack", frame.pings[-1].seq)).decode())
    except WebSocketDisconnect:
        pass


async def tutorial_phone(socket: WebSocket) -> None:
    """The tutorials' way of a ping: a pipeline for each, then a publish."""
    store: redis.asyncio.Redis = socket.app.state.redis
    name = socket.query_params["name"]
    await socket.accept()
    try:
        while True:
            frame = _decoder.decode(await socket.receive_text())
            if not isinstance(frame, Pings):
                continue
            for fix in frame.pings:
                said = msgspec.json.encode({"type": "update", "now": frame.sent, "position": fix})
                async with store.pipeline(transaction=False) as pipe:
                    pipe.geoadd("technicians", (fix.lon, fix.lat, name))
                    pipe.hset(f"last:{name}", mapping={"at": fix.at.isoformat(), "lat": fix.lat, "lon": fix.lon})
                    pipe.expire(f"last:{name}", 3600)
                    pipe.xadd(f"trail:{name}", {"fix": said}, maxlen=1000)
                    pipe.publish(f"live:{name}", said)
                    await pipe.execute()
            await socket.send_text(msgspec.json.encode(Ack("ack", frame.pings[-1].seq)).decode())
    except WebSocketDisconnect:
        pass


async def raw_phone(socket: WebSocket) -> None:
    """A floor of S3: publish the bytes, acknowledge."""
    store: redis.asyncio.Redis = socket.app.state.redis
    name = socket.query_params["name"]
    await socket.accept()
    try:
        while True:
            text = await socket.receive_text()
            frame = _decoder.decode(text)
            if isinstance(frame, Pings):
                await store.publish(f"live:{name}", text)
                await socket.send_text(msgspec.json.encode(Ack("ack", frame.pings[-1].seq)).decode())
    except WebSocketDisconnect:
        pass


async def forward(socket: WebSocket) -> None:
    """A viewer with a Redis subscription of its own, as the tutorials do it."""
    store: redis.asyncio.Redis = socket.app.state.redis
    await socket.accept()
    async with store.pubsub() as subscription:
        await subscription.subscribe(f"live:{socket.query_params['name']}")
        await socket.send_text('{"type":"snapshot"}')
        async for message in subscription.listen():
            if message["type"] == "message":
                await socket.send_text(message["data"].decode())


class Dispatch:
    """The other floor of S3: one subscription a process, each message to the sockets of its name."""

    def __init__(self, store: redis.asyncio.Redis) -> None:
        self._store = store
        self._sockets: dict[bytes, list[WebSocket]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def viewer(self, socket: WebSocket) -> None:
        """A viewer without a subscription of its own."""
        await socket.accept()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        self._sockets.setdefault(f"live:{socket.query_params['name']}".encode(), []).append(socket)
        await socket.send_text('{"type":"snapshot"}')
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            self._sockets[f"live:{socket.query_params['name']}".encode()].remove(socket)

    async def _read(self) -> None:
        async with self._store.pubsub() as subscription:
            await subscription.psubscribe("live:*")
            async for message in subscription.listen():
                if message["type"] == "pmessage":
                    text = message["data"].decode()
                    for socket in self._sockets.get(message["channel"], ()):
                        await socket.send_text(text)


async def broadcast(url: str, name: str, port: int, ready: asyncio.Event) -> None:
    """The floor of S4: the websockets library alone, `broadcast` of the bytes to every viewer."""
    import websockets.asyncio.server as ws

    viewers: set[ws.ServerConnection] = set()

    async def viewer(connection: ws.ServerConnection) -> None:
        viewers.add(connection)
        try:
            async for _ in connection:
                pass
        finally:
            viewers.discard(connection)

    store = redis.asyncio.Redis.from_url(url)
    async with ws.serve(viewer, "127.0.0.1", port, compression=None), store.pubsub() as subscription:
        await subscription.subscribe(f"live:{name}")
        ready.set()
        async for message in subscription.listen():
            if message["type"] == "message":
                ws.broadcast(viewers, message["data"].decode())


def app(url: str) -> Starlette:
    """All floors that run on Starlette and uvicorn."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=4000, timeout=30)
    store = redis.asyncio.Redis(connection_pool=pool)
    floors = Starlette(
        routes=[
            WebSocketRoute("/acks", acks),
            WebSocketRoute("/tutorial/phone", tutorial_phone),
            WebSocketRoute("/raw/phone", raw_phone),
            WebSocketRoute("/forward", forward),
            WebSocketRoute("/dispatch", Dispatch(store).viewer),
        ]
    )
    floors.state.redis = store
    return floors
