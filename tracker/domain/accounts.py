"""Who is acting: the actor every action is given first."""

from dataclasses import dataclass, field

from tracker.domain.appointments import STAFF, Role


@dataclass(frozen=True, slots=True)
class OwnAccount:
    """One of the accounts that somebody is a contact of. ``zone`` is its address's; None while it has no address."""

    id: str
    name: str
    zone: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks for something, as far as the rules care.

    ``person`` and ``session`` are ids of rows, None for somebody anonymous and for a device; a link's holder is no person.
    ``accounts`` are those a customer is a contact of, ``technician`` the one a technician is, ``appointment`` the one a
    link was made for, ``device`` the phone whose token was shown. ``own`` are the customer's accounts by name and
    ``account`` the one chosen in the header; ``zone`` is the person's own time zone, if they gave one.

    ``token`` is set for a program with an API token: it acts as a dispatcher, as far as its ``scopes`` go.

    ``link`` is the holder's link, which stands for ``session``, too: its end closes their sockets. ``view_only``: it was made
    for the family, who look and say nothing.
    """

    role: Role
    person: str | None = None
    name: str = ""
    session: str | None = None
    accounts: frozenset[str] = field(default_factory=frozenset)
    technician: str | None = None
    appointment: str | None = None
    device: str | None = None
    own: tuple[OwnAccount, ...] = ()
    account: str | None = None
    zone: str | None = None
    token: str | None = None
    link: str | None = None
    view_only: bool = False
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def staff(self) -> bool:
        """True for dispatchers and admins."""
        return self.role in STAFF

    @property
    def signed(self) -> str:
        """How the actor is written into events and the audit log: role and id, never a name or an address."""
        if self.token:
            return f"token:{self.token}"
        return f"{self.role}:{self.person or self.technician or self.link or self.appointment or '-'}"


ANONYMOUS = Actor(Role.ANONYMOUS)
