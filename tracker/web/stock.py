"""The address for stock phone apps (docs/protocols.md §3): `/i/{token}`, `/pub` and Overland's own path."""

import asyncio
import base64
import binascii
import contextlib
from collections import OrderedDict
from itertools import batched

import structlog
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from tracker.actions.house import House
from tracker.actions.trip.phones import Tokens
from tracker.actions.trip.tracking import Phone, Receipt, Receiver
from tracker.domain import wire
from tracker.domain.clocks import Clock, corrected, heard_fix
from tracker.domain.wire import own
from tracker.errors import BadToken, LiveUnavailable, TooManyRequests
from tracker.live.modes import Modes
from tracker.records.technicians import Device
from tracker.web.guard import EVERYBODY, door
from tracker.web.identity import network_of

MOST_BYTES = 2 * 1024 * 1024
"""A thousand points of Overland with all their properties are half of this."""
MOST_AT_ONCE = 500
MOST_CLOCKS = 50_000
BAD_TOKENS, BAD_TOKENS_S = 60, 60
"""Bad tokens from one address before it is told to wait."""

log = structlog.get_logger()


class StockPhones:
    """OwnTracks, Traccar, Overland and GPSLogger. The token says who it is; ids in what they send never do."""

    def __init__(self, house: House, receiver: Receiver) -> None:
        self._house, self._receiver = house, receiver
        self._tokens = Tokens(house)
        self._modes = Modes(house.positions.client)
        self._clocks: OrderedDict[str, Clock] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """The doors: no cookie is looked at, the token is all."""
        doors = {"/i/{token}": self._by_path, "/pub": self._by_password, "/api/v1/overland/batches": self._by_key}
        return [
            door(path, endpoint, roles=EVERYBODY, methods=["GET", "POST"], kind="machine", most_bytes=MOST_BYTES)
            for path, endpoint in doors.items()
        ]

    async def _by_path(self, request: Request) -> Response:
        return await self._answered(request, request.path_params["token"])

    async def _by_password(self, request: Request) -> Response:
        token = _password(request.headers.get("authorization", ""))
        try:
            return await self._answered(request, token)
        except BadToken:
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="tracker"'})

    async def _by_key(self, request: Request) -> Response:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        token = request.query_params.get("api_key") or (bearer.strip() if scheme.lower() == "bearer" else "")
        return await self._answered(request, token, at_overland=True)

    async def _answered(self, request: Request, token: str, *, at_overland: bool = False) -> Response:
        """Errors: `BadToken`, and LiveUnavailable (503: a retry helps). Everything else is a success to the app."""
        device = await self._device(request, token)
        now = self._house.clock()
        reading = wire.read(
            await request.body(),
            now=now,
            query=request.url.query,
            method=request.method,
            user_agent=request.headers.get("user-agent", ""),
            passphrase=device.passphrase,
            at_overland=at_overland,
            name=self._house.settings.now.company,
        )
        for reason, count in reading.unusable.items():
            log.info("unusable", app=reading.app, reason=reason, count=count)
        answer = reading.answer
        if reading.pings or reading.alive:
            receipt = await self._keep(device, reading)
            answer = await self._commanded(device, reading, receipt) or answer
        return Response(answer, media_type=reading.answer_type)

    async def _commanded(self, device: Device, reading: wire.Reading, receipt: Receipt) -> bytes | None:
        """OwnTracks can be told in the answer how often to report; only when that changes."""
        if reading.app is not wire.App.OWNTRACKS or not reading.pings:
            return None
        wanted = wire.monitoring_wanted(receipt.appointment)
        who = device.technician_id, device.id
        with contextlib.suppress(LiveUnavailable):  # the pings are kept: no reason to let them come again
            if await self._modes.command(*who, wanted, usual=wire.SIGNIFICANT, said=reading.mode):
                return wire.monitoring_command(wanted)
        return None

    async def _device(self, request: Request, token: str) -> Device:
        device = await self._tokens.device(token) if token else None
        if device is None:
            address = network_of(request)
            if not await self._house.limits.within("bad-token", address, BAD_TOKENS, BAD_TOKENS_S, self._house.clock()):
                raise TooManyRequests
            raise BadToken
        return device

    async def _keep(self, device: Device, reading: wire.Reading) -> Receipt:
        phone, now = Phone(device.technician_id, device.id), self._house.clock()
        clock, fixes = self._clock(device.id), [own.utc(ping.at) for ping in reading.pings]
        # OwnTracks says when it wrote, which may be long before it sent: like a fix, it proves only a clock ahead
        written = [own.utc(reading.written)] if reading.written is not None else []
        if known := [*fixes, *written]:
            clock = heard_fix(clock, max(known), now)
        self._clocks[device.id] = clock
        pings = [replace(ping, at=corrected(at, clock, now)) for ping, at in zip(reading.pings, fixes, strict=True)]
        parts = list(batched(pings, MOST_AT_ONCE)) or [()]
        return (await asyncio.gather(*(self._receiver.receive(phone, part) for part in parts)))[-1]

    def _clock(self, device: str) -> Clock:
        clock = self._clocks.pop(device, None) or Clock()
        if len(self._clocks) >= MOST_CLOCKS:
            self._clocks.popitem(last=False)
        return clock


def _password(authorization: str) -> str:
    scheme, _, coded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(coded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
