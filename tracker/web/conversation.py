"""One technician's socket from its first frame to its end (docs/asyncapi.yaml): hello, then pings, steps and sharing."""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog
from starlette.websockets import WebSocket

from tracker.actions.people import accounts
from tracker.actions.trip import arriving, phones, sharing, upkeep, visits
from tracker.actions.trip.tracking import Phone, Receipt
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.wire import own
from tracker.errors import LiveUnavailable, Refusal, Unavailable
from tracker.web.acks import Acks
from tracker.web.handset import BAD_CREDENTIALS, FORBIDDEN, LATE, OUR_FAULT, POLICY, RESTART, TOO_BIG, Ended, Handset
from tracker.web.overhearing import Overheard

if TYPE_CHECKING:
    from tracker.web.ingest import TechnicianSockets

HELLO_S = 5.0

log = structlog.get_logger()


class Conversation:
    """One socket from its first frame to its end."""

    def __init__(self, door: "TechnicianSockets", websocket: WebSocket, actor: Actor, address: str) -> None:
        self._door, self._house, self._socket, self.actor = door, door.house, websocket, actor
        self._address, self._handset = address, Handset(websocket)
        self._phone = Phone("", "")
        self._acks = Acks()
        self._policy: own.Policy | None = None  # as the phone was told; None until it is welcomed
        self._suggested: str | None = None  # the appointment whose arrival was suggested
        self._turn = asyncio.Lock()
        self._overheard = Overheard(door.receiver, self._house.clock, self._handset, self._acks)
        self._overheard.told, self._overheard.lost = self._told, self._lost
        self._giving_up: asyncio.Task[None] | None = None
        self._pings = 0

    async def run(self) -> None:
        """Talk until one side ends it. Whatever the other side sends, this ends with a close code and no error."""
        await self._socket.accept()
        end = Ended(POLICY)
        try:
            with self._door.stranger(self._address):
                hello = await self._hello()
                await self._recognise(hello)
            await self._door.enter(self, self._phone.device)
            if await self.doubted():  # asked again, now that the door knows it: a revocation is seen here or closes it there
                raise Ended(BAD_CREDENTIALS)
            await self._welcome(hello)
            log.info("phone_connected", device=self._phone.device)
            self._handset.overhear(self._hear)
            while True:
                frame = own.read(await self._handset.text())
                async with self._turn:
                    await self._overheard.landed.wait()
                    await self._take(frame)
        except Ended as said:
            end = said
        except ValueError as error:
            await self._handset.try_to_say(own.error("unreadable", str(error)))
        except Refusal as refusal:
            await self._handset.try_to_say(own.error(refusal.code, refusal.sentence))
            end = Ended(RESTART if isinstance(refusal, Unavailable) else POLICY)
        except Exception:
            log.exception("conversation_failed")
            end = Ended(OUR_FAULT)
        finally:
            self._door.leave(self, self._phone.device)
            await self.close(end.code, end.reason)
            if self._phone.device:
                log.info(
                    "phone_left",
                    device=self._phone.device,
                    code=end.code,
                    frames=self._handset.count,
                    pings=self._pings + self._overheard.count,
                )

    async def close(self, code: int, reason: str = "") -> None:
        """Close from our side, if it is still open."""
        await self._handset.close(code, reason)

    async def doubted(self) -> bool:
        """True, and closed, if its token was revoked or its session ended."""
        if await phones.still(self._house, self.actor):
            return False
        await self.close(BAD_CREDENTIALS)
        return True

    async def tell_policy(self) -> None:
        """Something changed beside this conversation: tell the phone, after the answer to what it asked last."""
        async with self._turn:
            await self._overheard.landed.wait()
            if self._policy is None:
                return  # the welcome will say it
            with contextlib.suppress(Ended, LiveUnavailable):  # it hears with its next ping, or when it comes again
                await self._tell_policy(await self._policy_now())
                await self._suggest()

    # -- the beginning -------------------------------------------------------------------------------------------------

    async def _hello(self) -> own.Hello:
        try:
            async with asyncio.timeout(HELLO_S):
                text = await self._handset.text()
        except TimeoutError:
            raise Ended(LATE) from None
        if len(text) > own.SMALL_BYTES:
            raise Ended(TOO_BIG)
        hello = own.read(text)
        if not isinstance(hello, own.Hello):
            raise Ended(POLICY, "hello first")
        return hello

    async def _recognise(self, hello: own.Hello) -> None:
        if hello.token is not None:
            known = await accounts.device_of(self._house, hello.token)
            if known is None:
                raise Ended(BAD_CREDENTIALS)
            self.actor = known
        if self.actor.role is Role.ANONYMOUS:
            raise Ended(BAD_CREDENTIALS)
        technician = self.actor.technician
        if technician is None:
            raise Ended(FORBIDDEN)
        device = self.actor.device or await phones.browser_of(self._house, self.actor, hello.device)
        self.actor = replace(self.actor, device=device)
        self._phone = self._overheard.phone = Phone(technician, device, hello.boot)
        self._handset.pace = self._door.pace_of(device)

    async def _welcome(self, hello: own.Hello) -> None:
        upto = await self._acks.begin(self._house.positions, self._phone, hello)
        async with self._turn:
            policy = await self._policy_now()
            await self._handset.say(own.welcome(self._phone.technician, upto, self._house.clock(), policy))
            self._policy = policy
            await self._suggest()

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
                raise Ended(POLICY, "hello again")

    async def _take_pings(self, frame: own.Pings) -> None:
        pings, dealt = self._acks.unpack(frame, self._house.clock())
        receipt = await self._door.receiver.receive(self._phone, pings, dealt.text())
        self._pings += len(pings)
        await self._handset.say(self._acks.ack(frame, dealt, receipt))
        await self._tell_policy(_policy_of(receipt))

    def _hear(self, frame: own.Pings) -> bool:
        """Take pings that were overheard; False while something else is under way: then they wait for their turn."""
        return not self._turn.locked() and self._overheard.take(frame)

    def _told(self, receipt: Receipt) -> None:
        policy = _policy_of(receipt)
        if policy != self._policy:
            self._policy = policy
            self._handset.answer(own.policy(policy))

    def _lost(self, error: Exception) -> None:
        self._giving_up = asyncio.create_task(self._give_up(error))

    async def _give_up(self, error: Exception) -> None:
        if isinstance(error, Refusal):
            await self._handset.try_to_say(own.error(error.code, error.sentence))
        await self.close(RESTART)

    async def _take_step(self, frame: own.Step) -> None:
        pressed_at = self._acks.on_our_clock(frame.at, self._house.clock())
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
        await self._handset.say(own.stepped(frame, done.state))

    async def _take_sharing(self, frame: own.Sharing) -> None:
        technician = self._phone.technician
        await self._try(frame.id, sharing.set_sharing(self._house, self.actor, technician, frame.on, frame.reason))

    async def _try(self, id: str, deed: Awaitable[object]) -> None:
        """Do what was asked, say why if it is refused, and what the phone is to do from now on."""
        try:
            await deed
        except Refusal as refusal:
            await self._handset.say(own.error(refusal.code, refusal.sentence, id))
        await self._tell_policy(await self._policy_now())

    async def _tell_policy(self, policy: own.Policy) -> None:
        if policy != self._policy:
            self._policy = policy
            await self._handset.say(own.policy(policy))

    async def _suggest(self) -> None:
        """Whether *Arrived* is suggested, if the phone does not know it so. Asked beside the way of a ping only."""
        traveling = self._policy is not None and self._policy.appointment is not None
        now = await arriving.suggested(self._house, self._phone.technician) if traveling else None
        before, self._suggested = self._suggested, now
        if before is not None and now is None and traveling:
            await self._handset.say(own.suggestion(before, stands=False))
        elif now is not None and now != before:
            await self._handset.say(own.suggestion(now, stands=True))

    async def _policy_now(self) -> own.Policy:
        gate = await upkeep.gate_now(self._house, self._phone.technician)
        return own.Policy(gate.interval_s, gate.sharing, gate.appointment) if gate else own.Policy(60, False, None)


def _policy_of(receipt: Receipt) -> own.Policy:
    return own.Policy(receipt.interval_s, receipt.sharing, receipt.appointment)
