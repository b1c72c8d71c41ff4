"""One technician's socket from its first frame to its end (docs/asyncapi.yaml): hello, then pings, steps and sharing."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tracker.actions import accounts, phones, sharing, upkeep, visits
from tracker.actions.tracking import Phone, Receipt
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.clocks import Clock, corrected, heard_sent
from tracker.domain.dealt import Dealt
from tracker.domain.wire import own
from tracker.errors import LiveUnavailable, Refusal, Unavailable
from tracker.web.pace import Pace

if TYPE_CHECKING:
    from tracker.web.ingest import TechnicianSockets

HELLO_S = 5.0
PER_SECOND, BURST = 100.0, 2_000.0
"""Frames a phone may send: far more than one that empties its queue after a day without network, far fewer than we can read."""
GONE, BINARY, POLICY, TOO_BIG, OUR_FAULT, RESTART = 1006, 1003, 1008, 1009, 1011, 1012
BAD_CREDENTIALS, FORBIDDEN, LATE, REPLACED, FLOOD = 4401, 4403, 4408, 4409, 4429

log = structlog.get_logger()


class _Close(Exception):
    def __init__(self, code: int, reason: str = "") -> None:
        self.code, self.reason = code, reason


class Conversation:
    """One socket from its first frame to its end."""

    def __init__(self, door: "TechnicianSockets", websocket: WebSocket, actor: Actor, address: str) -> None:
        self._door, self._house, self._socket, self.actor = door, door.house, websocket, actor
        self._address = address
        self._phone = Phone("", "")
        self._clock, self._dealt = Clock(), Dealt(0)
        self._policy: own.Policy | None = None  # as the phone was told; None until it is welcomed
        self._turn = asyncio.Lock()
        self._frames = self._pings = 0
        self._pace = Pace(PER_SECOND, BURST, asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Talk until one side ends it. Whatever the other side sends, this ends with a close code and no error."""
        await self._socket.accept()
        end = _Close(POLICY)
        try:
            with self._door.stranger(self._address):
                hello = await self._hello()
                await self._recognise(hello)
            await self._door.enter(self, self._phone.device)
            await self._welcome(hello)
            log.info("phone_connected", device=self._phone.device)
            while True:
                frame = own.read(await self._text())
                async with self._turn:
                    await self._take(frame)
        except _Close as said:
            end = said
        except ValueError as error:
            await self._try_to_say(own.error("unreadable", str(error)))
        except Refusal as refusal:
            await self._try_to_say(own.error(refusal.code, refusal.sentence))
            end = _Close(RESTART if isinstance(refusal, Unavailable) else POLICY)
        except Exception:
            log.exception("conversation_failed")
            end = _Close(OUR_FAULT)
        finally:
            self._door.leave(self, self._phone.device)
            await self.close(end.code, end.reason)
            if self._phone.device:
                log.info("phone_left", device=self._phone.device, code=end.code, frames=self._frames, pings=self._pings)

    async def close(self, code: int, reason: str = "") -> None:
        """Close from our side, if it is still open."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):  # it went away meanwhile
                await self._socket.close(code, reason)

    async def tell_policy(self) -> None:
        """Something changed beside this conversation: tell the phone, after the answer to what it asked last."""
        async with self._turn:
            if self._policy is None:
                return  # the welcome will say it
            with contextlib.suppress(_Close, LiveUnavailable):  # it hears with its next ping, or when it comes again
                await self._tell_policy(await self._policy_now())

    # -- the beginning -------------------------------------------------------------------------------------------------

    async def _hello(self) -> own.Hello:
        try:
            async with asyncio.timeout(HELLO_S):
                text = await self._text()
        except TimeoutError:
            raise _Close(LATE) from None
        if len(text) > own.SMALL_BYTES:
            raise _Close(TOO_BIG)
        hello = own.read(text)
        if not isinstance(hello, own.Hello):
            raise _Close(POLICY, "hello first")
        return hello

    async def _recognise(self, hello: own.Hello) -> None:
        if hello.token is not None:
            known = await accounts.device_of(self._house, hello.token)
            if known is None:
                raise _Close(BAD_CREDENTIALS)
            self.actor = known
        if self.actor.role is Role.ANONYMOUS:
            raise _Close(BAD_CREDENTIALS)
        technician = self.actor.technician
        if technician is None:
            raise _Close(FORBIDDEN)
        device = self.actor.device or await phones.browser_of(self._house, self.actor, hello.device)
        self.actor = replace(self.actor, device=device)
        self._phone = Phone(technician, device, hello.boot)

    async def _welcome(self, hello: own.Hello) -> None:
        phone, positions = self._phone, self._house.positions
        text = await positions.dealt(phone.technician, phone.device, hello.boot)
        self._dealt = Dealt.read(text) if text else Dealt(0)
        self._dealt.advance(hello.first - 1)
        if text != self._dealt.text():
            await positions.adopt(phone.technician, phone.device, hello.boot, self._dealt.text())
        async with self._turn:
            policy = await self._policy_now()
            await self._say(own.welcome(phone.technician, self._dealt.upto, self._house.clock(), policy))
            self._policy = policy

    # -- afterwards ----------------------------------------------------------------------------------------------------

    async def _take(self, frame: own.Frame) -> None:
        match frame:
            case own.Pings():
                await self._take_pings(frame)
            case own.Step():
                await self._take_step(frame)
            case own.Sharing():
                await self._take_sharing(frame)
            case _:
                raise _Close(POLICY, "hello again")

    async def _take_pings(self, frame: own.Pings) -> None:
        now = self._house.clock()
        if frame.sent is not None:
            self._clock = heard_sent(self._clock, own.utc(frame.sent), now)
        dealt, pings = self._dealt.copy(), []
        for said in frame.pings:
            if said.seq not in dealt:  # else it was acknowledged before, and is again
                dealt.add(said.seq)
                pings.append(own.as_ping(said, corrected(own.utc(said.at), self._clock, now)))
        receipt = await self._door.receiver.receive(self._phone, pings, dealt.text())
        self._dealt = dealt
        self._pings += len(pings)
        also = list(dict.fromkeys(said.seq for said in frame.pings if said.seq > dealt.upto))
        refused = [(ping.seq or 0, rule) for ping, rule in receipt.refused]
        await self._say(own.ack(dealt.upto, also, refused))
        await self._tell_policy(_policy_of(receipt))

    async def _take_step(self, frame: own.Step) -> None:
        pressed_at = corrected(own.utc(frame.at), self._clock, self._house.clock())
        await self._try(frame.id, self._step(frame, pressed_at))

    async def _step(self, frame: own.Step, pressed_at: datetime) -> None:
        wish = visits.Wish(
            step=frame.step,
            seen=frame.seen,
            pressed_at=pressed_at,
            step_id=frame.id,
            switch=frame.switch,
            reason=frame.reason,
            device=self._phone.device,
        )
        done = await visits.take_step(self._house, self.actor, frame.appointment, wish)
        await self._say(own.stepped(frame, done.state))

    async def _take_sharing(self, frame: own.Sharing) -> None:
        technician = self._phone.technician
        await self._try(frame.id, sharing.set_sharing(self._house, self.actor, technician, frame.on, frame.reason))

    async def _try(self, id: str, deed: Awaitable[object]) -> None:
        """Do what was asked, say why if it is refused, and what the phone is to do from now on."""
        try:
            await deed
        except Refusal as refusal:
            await self._say(own.error(refusal.code, refusal.sentence, id))
        await self._tell_policy(await self._policy_now())

    async def _tell_policy(self, policy: own.Policy) -> None:
        if policy != self._policy:
            self._policy = policy
            await self._say(own.policy(policy))

    async def _policy_now(self) -> own.Policy:
        gate = await upkeep.gate_now(self._house, self._phone.technician)
        return own.Policy(gate.interval_s, gate.sharing, gate.appointment) if gate else own.Policy(60, False, None)

    # -- frames --------------------------------------------------------------------------------------------------------

    async def _text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise _Close(int(message.get("code") or 1005))
        text = message.get("text")
        if text is None:
            raise _Close(BINARY)
        self._frames += 1
        if len(text) > own.SMALL_BYTES:
            self._check_size(text)
        if self._pace.spent(asyncio.get_running_loop().time()):
            raise _Close(FLOOD)
        return str(text)

    def _check_size(self, text: str) -> None:
        size = len(text) if text.isascii() else len(text.encode())
        if size > own.PINGS_BYTES or (size > own.SMALL_BYTES and '"pings"' not in text[:4096]):
            raise _Close(TOO_BIG)

    async def _say(self, text: str) -> None:
        try:
            await self._socket.send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError, WebSocketDisconnect):
            raise _Close(GONE) from None

    async def _try_to_say(self, text: str) -> None:
        with contextlib.suppress(_Close):
            await self._say(text)


def _policy_of(receipt: Receipt) -> own.Policy:
    return own.Policy(receipt.interval_s, receipt.sharing, receipt.appointment)
