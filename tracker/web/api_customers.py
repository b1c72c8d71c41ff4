"""JSON doors for staff and programs: accounts, contacts with their invitations, locations, assets, API tokens (O1–O3, X8)."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from tracker.actions.people import contacts, customers, tokens
from tracker.domain.appointments import STAFF, Role
from tracker.web.bodies import body_of, json_answer, key_of
from tracker.web.customer_answers import (
    AccountAnswer,
    AccountBody,
    AccountChangeBody,
    AccountsAnswer,
    AddedContactAnswer,
    AssetAnswer,
    AssetBody,
    AssetChangeBody,
    ContactBody,
    CustomerAnswer,
    GivenAnswer,
    InvitationAnswer,
    InvitationsAnswer,
    LocationAnswer,
    LocationBody,
    NewTokenAnswer,
    TokenAnswer,
    TokenBody,
    TokensAnswer,
    shown,
    shown_contact,
    shown_customer,
)
from tracker.web.guard import actor_of, house_of
from tracker.web.openapi import Operation

ADMIN = frozenset({Role.ADMIN})
PAGE = 100
"""Accounts in one answer."""


def operations() -> list[Operation]:
    """The doors of this module."""
    account, contact = "/api/v1/accounts/{account}", "/api/v1/contacts/{contact}"
    read = partial(Operation, roles=STAFF, scope="accounts:read")
    write = partial(Operation, roles=STAFF, scope="accounts:write")
    admin = partial(Operation, roles=ADMIN)
    make = partial(write, "POST", status=201, headers=("Idempotency-Key",))
    return [
        read("GET", "/api/v1/accounts", list_accounts, answer=AccountsAnswer, query=("query", "after")),
        make("/api/v1/accounts", add_account, answer=AccountAnswer, body=AccountBody),
        read("GET", account, read_account, answer=CustomerAnswer),
        write("PATCH", account, change_account, answer=AccountAnswer, body=AccountChangeBody),
        make(f"{account}/contacts", add_contact, answer=AddedContactAnswer, body=ContactBody, refusals=(409,)),
        make(f"{account}/locations", add_location, answer=LocationAnswer, body=LocationBody),
        make(f"{account}/assets", add_asset, answer=AssetAnswer, body=AssetBody),
        write("PATCH", "/api/v1/assets/{asset}", change_asset, answer=AssetAnswer, body=AssetChangeBody),
        write("DELETE", contact, remove_contact, answer=None, status=204),
        read("GET", f"{contact}/invitations", list_invitations, answer=InvitationsAnswer),
        make(f"{contact}/invitations", invite, answer=GivenAnswer, refusals=(409, 422)),
        write("DELETE", "/api/v1/invitations/{invitation}", revoke_invitation, answer=None, status=204),
        admin("GET", "/api/v1/tokens", list_tokens, answer=TokensAnswer),
        make("/api/v1/tokens", add_token, answer=NewTokenAnswer, body=TokenBody, refusals=(409,), roles=ADMIN, scope=None),
        admin("DELETE", "/api/v1/tokens/{token}", revoke_token, answer=None, status=204),
    ]


async def list_accounts(request: Request) -> Response:
    """Accounts by name; those whose name or address holds ``query``, behind the one called ``after``."""
    asked = request.query_params
    found = await customers.find_accounts(
        house_of(request), actor_of(request), asked.get("query", ""), PAGE, asked.get("after", "")
    )
    after = found[-1].id if len(found) == PAGE else None
    return json_answer(AccountsAnswer([shown(one, AccountAnswer) for one in found], after))


async def add_account(request: Request) -> Response:
    """Add an account: 201, one for one Idempotency-Key."""
    body = await body_of(request, AccountBody)
    place = body.place.place() if body.place else None
    made = await customers.add_account(
        house_of(request), actor_of(request), body.name, place, active=body.active, key=key_of(request)
    )
    return json_answer(shown(made, AccountAnswer), 201)


async def read_account(request: Request) -> Response:
    """An account with its contacts, locations and assets."""
    found = await customers.customer(house_of(request), actor_of(request), request.path_params["account"])
    return json_answer(shown_customer(found))


async def change_account(request: Request) -> Response:
    """Change an account's name or place, or take it out of use."""
    body = await body_of(request, AccountChangeBody)
    place = body.place.place() if body.place else None
    account = request.path_params["account"]
    changed = await customers.change_account(
        house_of(request), actor_of(request), account, name=body.name, place=place, active=body.active
    )
    return json_answer(shown(changed, AccountAnswer))


async def add_contact(request: Request) -> Response:
    """Add a person to an account: 201. An active account's new address is invited by itself, once for ever.

    One for one Idempotency-Key.
    """
    body = await body_of(request, ContactBody)
    account = request.path_params["account"]
    added = await contacts.add_contact(
        house_of(request), actor_of(request), account, body.email, body.name, body.phone, key=key_of(request)
    )
    return json_answer(AddedContactAnswer(shown_contact(added.contact), added.invited, added.attached), 201)


async def add_location(request: Request) -> Response:
    """Add a functional location to an account: 201, one for one Idempotency-Key."""
    body = await body_of(request, LocationBody)
    place = body.place.place() if body.place else None
    made = await customers.add_location(
        house_of(request), actor_of(request), request.path_params["account"], body.name, place, key=key_of(request)
    )
    return json_answer(shown(made, LocationAnswer), 201)


async def add_asset(request: Request) -> Response:
    """Add an asset to an account: 201, one for one Idempotency-Key."""
    body = await body_of(request, AssetBody)
    made = await customers.add_asset(
        house_of(request),
        actor_of(request),
        request.path_params["account"],
        body.name,
        location=body.location,
        model=body.model,
        serial=body.serial,
        key=key_of(request),
    )
    return json_answer(shown(made, AssetAnswer), 201)


async def change_asset(request: Request) -> Response:
    """Take an asset out of use, or back."""
    body = await body_of(request, AssetChangeBody)
    asset = request.path_params["asset"]
    changed = await customers.set_asset_active(house_of(request), actor_of(request), asset, active=body.active)
    return json_answer(shown(changed, AssetAnswer))


async def remove_contact(request: Request) -> Response:
    """Remove a person from an account: 204 once their open pages have been closed."""
    await contacts.remove_contact(house_of(request), actor_of(request), request.path_params["contact"])
    return Response(status_code=204)


async def list_invitations(request: Request) -> Response:
    """A contact's invitations, the newest first, without their codes."""
    found = await contacts.invitations_of(house_of(request), actor_of(request), request.path_params["contact"])
    return json_answer(InvitationsAnswer([shown(one, InvitationAnswer) for one in found]))


async def invite(request: Request) -> Response:
    """Make a further invitation by hand: 201 with its code, which is shown this once. Those given before end.

    The same Idempotency-Key is answered with the same invitation and code.
    """
    given = await contacts.invite(house_of(request), actor_of(request), request.path_params["contact"], key=key_of(request))
    return json_answer(GivenAnswer(shown(given.invitation, InvitationAnswer), given.code), 201)


async def revoke_invitation(request: Request) -> Response:
    """Take an open invitation back: 204."""
    await contacts.revoke_invitation(house_of(request), actor_of(request), request.path_params["invitation"])
    return Response(status_code=204)


async def list_tokens(request: Request) -> Response:
    """All API tokens, the newest first."""
    found = await tokens.list_tokens(house_of(request), actor_of(request))
    return json_answer(TokensAnswer([shown(one, TokenAnswer) for one in found]))


async def add_token(request: Request) -> Response:
    """Make an API token: 201 with what it opens with, which is shown this once.

    The same Idempotency-Key makes no other: it is refused with 409 `secret_shown`, the token's id as `token`.
    """
    body = await body_of(request, TokenBody)
    made = await tokens.add_token(house_of(request), actor_of(request), body.name, body.scopes, body.days, key=key_of(request))
    return json_answer(NewTokenAnswer(shown(made.token, TokenAnswer), made.secret), 201)


async def revoke_token(request: Request) -> Response:
    """Revoke an API token: 204, and it opens nothing any more."""
    await tokens.revoke_token(house_of(request), actor_of(request), request.path_params["token"])
    return Response(status_code=204)
