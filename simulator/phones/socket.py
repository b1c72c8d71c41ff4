"""Our own phone: `/ws/technician` as in protocols §1, with acks, resending, steps kept offline and the server's policy."""

import asyncio
import secrets
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from simulator.phones.base import Heard, Phone, Target, tls
from simulator.phones.frames import FOR_GOOD, WAITS_S, GivenUp, Policy, StepRefused, frame_of, ping_of, text_of
from simulator.phones.store import Store
from simulator.tracks import Fix

BATCH = 200
AT_MOST_UNDER_WAY = 4 * BATCH
UNANSWERED_S = 15.0
"""A ping without an ack for so long is sent again on the same connection."""


class SocketPhone(Phone):
    """Keeps every ping until it is acked, every step until it is answered, over as many connections as it takes."""

    def __init__(self, target: Target, *, seed: int = 0, heard: Heard | None = None, haste: float = 1.0) -> None:
        super().__init__(target, seed=seed, heard=heard, haste=haste)
        self.policy = Policy()
        self.asked_anew = asyncio.Event()
        """Set whenever the server asks for another policy; whoever waits for it clears it."""
        self.welcomed = asyncio.Event()
        """Set while the present connection has been welcomed."""
        self.server_clock = timedelta()
        """Server's time minus this phone's, at the last welcome."""
        # never of the seed: a second start with the same names would send only what was dealt with in the first
        self.boot = secrets.token_hex(8)
        self._pings = Store()
        self._again: list[tuple[int, Fix]] = []
        self._asked: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._written: set[str] = set()
        self._wake = asyncio.Event()
        self._socket: ClientConnection | None = None

    @property
    def held(self) -> int:
        return len(self._pings.held)

    def cut(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()

    def repeat(self) -> None:
        if self._pings.newest is not None:
            self._again.append(self._pings.newest)
            self._wake.set()

    async def step(self, appointment: str, step: str, seen: str, pressed_at: datetime | None = None) -> str:
        """A button is pressed, with or without network; the state the server then says. Raises StepRefused."""
        at = pressed_at or self.now()
        frame = {"type": "step", "appointment": appointment, "step": step, "from": seen, "at": text_of(at)}
        return str(await self._ask(frame))

    async def share(self, on: bool, reason: str | None = None) -> None:
        """Pauses or resumes sharing; returns when the server's policy says so."""
        await self._ask({"type": "sharing", "on": on, "reason": reason})

    async def _ask(self, frame: dict[str, Any]) -> Any:
        number = f"{self.boot[:6]}-{self._random.getrandbits(32):08x}"
        self._asked[number] = frame | {"id": number}
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._wake.set()
        try:
            return await self._answers[number]
        finally:
            self._asked.pop(number, None)
            self._answers.pop(number, None)

    def _store(self, fixes: list[Fix]) -> None:
        if self.policy.sharing:
            self._pings.add(fixes)
            self._wake.set()

    # -- connections ---------------------------------------------------------------------------------------------------

    async def _send_for_ever(self) -> None:
        attempt = 0
        while True:
            await self.online.wait()
            code = await self._connect_once()
            attempt = 0 if self.welcomed.is_set() else attempt + 1
            self.welcomed.clear()
            if code in FOR_GOOD:
                self._fail(GivenUp(f"closed {code}: {FOR_GOOD[code]}"))
            low, high = WAITS_S.get(code, (0.0, min(30.0, 0.5 * 2 ** min(attempt, 7))))
            await asyncio.sleep(self._random.uniform(low, high) / self._haste)

    def _fail(self, why: GivenUp) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(why)
        raise why

    async def _connect_once(self) -> int:
        """One connection from hello to its end; the close code (1006: torn or never made)."""
        try:
            async with connect(
                f"{self.target.websocket}/ws/technician", compression=None, open_timeout=10, **tls(self.target)
            ) as socket:
                self._socket = socket
                await self._talk(socket)
        except ConnectionClosed as end:
            code = end.rcvd.code if end.rcvd else 1006
            self.counts.trouble[f"closed {code}"] += 1
            return code
        except InvalidStatus as refused:
            status = refused.response.status_code
            self.counts.trouble[f"HTTP {status}"] += 1
            return {401: 4401, 403: 4403, 429: 4429}.get(status, 1006)
        except (OSError, TimeoutError, WebSocketException):
            self.counts.trouble["no connection"] += 1
        finally:
            self._socket = None
        return 1006

    async def _talk(self, socket: ClientConnection) -> None:
        if not self.online.is_set():
            raise OSError("the network went away while connecting")
        hello = {
            "type": "hello",
            "token": self.target.token,
            "boot": self.boot,
            "first": self._pings.first,
            "device": self.target.device,
        }
        await socket.send(frame_of(hello))
        self._welcome(msgspec.json.decode(await asyncio.wait_for(socket.recv(), 10)))
        writer = asyncio.create_task(self._write(socket))
        try:
            async for message in socket:
                self._heed(msgspec.json.decode(message))
            await socket.wait_closed()
            self.counts.trouble["closed 1000"] += 1
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    def _welcome(self, said: dict[str, Any]) -> None:
        if said.get("type") != "welcome":
            raise WebSocketException(f"{said.get('type')} instead of welcome")
        self._took(self._pings.forget(said["acked"], ()))
        self.server_clock = datetime.fromisoformat(said["now"]) - self.now()
        self._pings.connection_lost()
        self._written.clear()
        self._adopt(said["policy"])
        self.welcomed.set()

    # -- what the server says ------------------------------------------------------------------------------------------

    def _heed(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "ack":
                self._acked(said)
            case "policy":
                self._adopt(said)
            case "stepped":
                self._answer(said["id"], said["state"])
            case "error" if said.get("id"):
                self._answer(said["id"], StepRefused(said["code"], said["message"]))
            case "error":
                self.counts.trouble[f"error {said.get('code')}"] += 1
        self._wake.set()

    def _acked(self, said: dict[str, Any]) -> None:
        for refused in said.get("refused", ()):
            if refused["seq"] in self._pings.held:
                self.counts.refused[refused["rule"]] += 1
        self._took(self._pings.forget(said["seq"], said.get("also", ())))

    def _adopt(self, said: dict[str, Any]) -> None:
        policy = Policy(float(said["interval_s"]), bool(said["sharing"]), said.get("appointment"))
        if policy != self.policy:
            self.policy = policy
            self.asked_anew.set()
        for number, frame in list(self._asked.items()):
            if frame["type"] == "sharing" and number in self._written and frame["on"] is self.policy.sharing:
                self._answer(number, None)

    def _answer(self, number: str, outcome: object) -> None:
        answer = self._answers.get(number)
        if answer is None or answer.done():
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    # -- what the phone says -------------------------------------------------------------------------------------------

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            self._wake.clear()
            for number, frame in list(self._asked.items()):
                if number not in self._written:
                    self._written.add(number)
                    await socket.send(frame_of(frame))
            self._pings.overdue(time.monotonic() - UNANSWERED_S / self._haste)
            if pings := self._next_pings():
                await socket.send(
                    frame_of({"type": "pings", "sent": text_of(self.now()), "pings": [ping_of(*ping) for ping in pings]})
                )
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), UNANSWERED_S / 3 / self._haste)
            except TimeoutError:
                continue

    def _next_pings(self) -> list[tuple[int, Fix]]:
        if self._again:
            self.counts.resent += len(self._again)
            pings, self._again = self._again[:BATCH], self._again[BATCH:]
            return pings
        if len(self._pings.under_way) >= AT_MOST_UNDER_WAY:
            return []
        pings = self._pings.next(BATCH)
        for seq, fix in pings:
            if self._pings.on_the_wire(seq, time.monotonic()):
                self.counts.sent += 1
                self._heard(replace(fix, at=fix.at - self.clock_error))
            else:
                self.counts.resent += 1
        return pings
