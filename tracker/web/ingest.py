"""The door for technicians' sockets, `/ws/technician`: one per device, strangers counted, ended ones closed."""

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Iterator

from starlette.routing import BaseRoute
from starlette.websockets import WebSocket

from tracker.actions.house import House
from tracker.actions.trip.tracking import Receiver
from tracker.domain.appointments import Role
from tracker.errors import Refusal, TooManyRequests
from tracker.live.control import Ask, Control
from tracker.web.conversation import Conversation
from tracker.web.guard import actor_of, socket
from tracker.web.handset import BAD_CREDENTIALS, BURST, PER_SECOND, REPLACED, RESTART
from tracker.web.identity import network_of
from tracker.web.pace import Pace
from tracker.web.problems import refuse

MOST_STRANGERS = 200
"""Sockets of one address that have not said hello yet; a whole carrier may stand behind one address."""
MOST_PACES = 20_000


class TechnicianSockets:
    """All technicians' sockets of this process: one per device, closed when another takes over or a session ends."""

    def __init__(self, house: House, receiver: Receiver, control: Control) -> None:
        self.house, self.receiver, self.control = house, receiver, control
        self._by_device: dict[str, Conversation] = {}
        self._strangers: Counter[str] = Counter()
        self._paces: OrderedDict[str, Pace] = OrderedDict()
        control.on(Ask.REPLACE_DEVICE, self._replace)
        control.on(Ask.END_SESSION, self._end_session)
        control.on(Ask.POLICY, self._tell_policy)
        house.hub.subscription.on_back.append(self._back)
        self._doubting: set[asyncio.Task[None]] = set()

    def routes(self) -> list[BaseRoute]:
        """The door. A browser needs its session and our Origin; whoever sends no Origin needs a device's token."""
        roles = {Role.TECHNICIAN, Role.ANONYMOUS}
        return [socket("/ws/technician", self._knock, roles=roles, without_origin=True, name="technician_socket")]

    async def _knock(self, websocket: WebSocket) -> None:
        address = network_of(websocket)
        if self._strangers[address] >= MOST_STRANGERS:
            await refuse(websocket, TooManyRequests())
            return
        await Conversation(self, websocket, actor_of(websocket), address).run()

    @contextlib.contextmanager
    def stranger(self, address: str) -> Iterator[None]:
        """While this lasts the socket counts as one that has not said who it is."""
        self._strangers[address] += 1
        try:
            yield
        finally:
            self._strangers[address] -= 1
            if not self._strangers[address]:
                del self._strangers[address]

    def pace_of(self, device: str) -> Pace:
        """The device's purse, over all its connections: coming again does not fill it."""
        pace = self._paces.pop(device, None) or Pace(PER_SECOND, BURST, asyncio.get_running_loop().time())
        self._paces[device] = pace
        if len(self._paces) > MOST_PACES:
            self._paces.popitem(last=False)
        return pace

    async def enter(self, newer: Conversation, device: str) -> None:
        """This conversation is the device's from now on; older ones are closed here and in every other process."""
        older, self._by_device[device] = self._by_device.get(device), newer
        if older is not None:
            await older.close(REPLACED)
        await self.control.ask(Ask.REPLACE_DEVICE, device, spare_me=True)

    def leave(self, gone: Conversation, device: str) -> None:
        """The conversation has ended."""
        if self._by_device.get(device) is gone:
            del self._by_device[device]

    async def _replace(self, device: str) -> None:
        if conversation := self._by_device.get(device):
            await conversation.close(REPLACED)

    async def _tell_policy(self, technician: str) -> None:
        theirs = [each for each in self._by_device.values() if each.actor.technician == technician]
        await asyncio.gather(*(each.tell_policy() for each in theirs))

    async def _end_session(self, session: str) -> None:
        theirs = [each for each in self._by_device.values() if each.actor.session == session]
        await asyncio.gather(*(each.close(BAD_CREDENTIALS) for each in theirs))

    def _back(self) -> None:
        """Redis was away: what was revoked or ended meanwhile was not heard here."""
        for each in list(self._by_device.values()):
            task = asyncio.create_task(_doubt(each))
            self._doubting.add(task)
            task.add_done_callback(self._doubting.discard)


async def _doubt(conversation: Conversation) -> None:
    try:
        await conversation.doubted()
    except Refusal:
        await conversation.close(RESTART)  # it comes again, and is asked then
