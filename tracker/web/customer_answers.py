"""What the JSON doors for accounts, contacts, assets and tokens take and give."""

from datetime import datetime
from typing import Annotated

import msgspec

from tracker.actions.people.customers import LONGEST_ADDRESS, LONGEST_NAME, Customer
from tracker.actions.people.customers import Place as ConfirmedPlace
from tracker.domain.geo import Point
from tracker.records.api_tokens import ApiToken
from tracker.records.customers import Account, Asset, Contact, Location
from tracker.records.invitations import Invitation

type Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]


class PlaceBody(msgspec.Struct, forbid_unknown_fields=True):
    """An address with its coordinates (degrees, WGS84), as somebody confirmed it. The time zone comes of the coordinates."""

    address: Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ADDRESS)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]

    def place(self) -> ConfirmedPlace:
        """As the actions take it."""
        return ConfirmedPlace(self.address, Point(self.lat, self.lon))


class AccountBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new account. Without a place nothing can be booked for it."""

    name: Name
    place: PlaceBody | None = None
    active: bool = True


class AccountChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is to change; what is absent or null stays."""

    name: Name | None = None
    place: PlaceBody | None = None
    active: bool | None = None


class ContactBody(msgspec.Struct, forbid_unknown_fields=True):
    """A person of the account. Without an e-mail address: somebody who is only called."""

    name: Name
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=32)] | None = None


class LocationBody(msgspec.Struct, forbid_unknown_fields=True):
    """A functional location."""

    name: Name
    place: PlaceBody | None = None


class AssetBody(msgspec.Struct, forbid_unknown_fields=True):
    """A thing to be serviced; ``location`` is one of the account's, null for the account's own address."""

    name: Name
    location: str | None = None
    model: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] | None = None
    serial: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class AssetChangeBody(msgspec.Struct, forbid_unknown_fields=True):
    """Take an asset out of use, or back."""

    active: bool


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    """A new API token: what for, what it may do, how many days."""

    name: Name
    scopes: list[str]
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 90


class AccountAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An account; what is not known is absent."""

    id: str
    name: str
    active: bool
    created_at: datetime
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


class AccountsAnswer(msgspec.Struct):
    """Accounts by name. ``after`` is what to ask with for the next ones; null: these are the last."""

    accounts: list[AccountAnswer]
    after: str | None


class ContactAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A contact. ``signs_in``: the portal is open to this address."""

    id: str
    name: str
    email: str
    signs_in: bool
    phone: str | None = None


class LocationAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A functional location."""

    id: str
    name: str
    address: str | None = None
    lat: float | None = None
    lon: float | None = None
    zone: str | None = None


class AssetAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An asset."""

    id: str
    name: str
    active: bool = msgspec.field(default=True)
    location_id: str | None = None
    model: str | None = None
    serial: str | None = None


class CustomerAnswer(msgspec.Struct):
    """An account with everything that belongs to it."""

    account: AccountAnswer
    contacts: list[ContactAnswer]
    locations: list[LocationAnswer]
    assets: list[AssetAnswer]


class AddedContactAnswer(msgspec.Struct):
    """A new contact. ``invited``: a letter with a code was written; ``attached``: the address had a sign-in already."""

    contact: ContactAnswer
    invited: bool
    attached: bool


class InvitationAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An invitation, without its code."""

    id: str
    created_at: datetime
    expires_at: datetime
    automatic: bool = False
    used_at: datetime | None = None
    revoked_at: datetime | None = None


class InvitationsAnswer(msgspec.Struct):
    """A contact's invitations, the newest first."""

    invitations: list[InvitationAnswer]


class GivenAnswer(msgspec.Struct):
    """A further invitation. The code is in this answer and nowhere else."""

    invitation: InvitationAnswer
    code: str


class TokenAnswer(msgspec.Struct, omit_defaults=True, kw_only=True):
    """An API token, without what it opens with."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None = None
    revoked_at: datetime | None = None


class TokensAnswer(msgspec.Struct):
    """All API tokens, the newest first."""

    tokens: list[TokenAnswer]


class NewTokenAnswer(msgspec.Struct):
    """A new API token. ``secret`` is in this answer and nowhere else."""

    token: TokenAnswer
    secret: str


type Row = Account | Location | Asset | Invitation | ApiToken


def shown[T: msgspec.Struct](row: Row, kind: type[T]) -> T:
    """A row as an answer: the fields that the answer has."""
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def shown_contact(contact: Contact) -> ContactAnswer:
    """A contact for staff."""
    return ContactAnswer(
        id=contact.id, name=contact.name, email=contact.email, signs_in=contact.person_id is not None, phone=contact.phone
    )


def shown_customer(found: Customer) -> CustomerAnswer:
    """An account with everything that belongs to it."""
    return CustomerAnswer(
        shown(found.account, AccountAnswer),
        [shown_contact(one) for one in found.contacts],
        [shown(one, LocationAnswer) for one in found.locations],
        [shown(one, AssetAnswer) for one in found.assets],
    )
