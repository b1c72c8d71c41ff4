"""`tracker migrate | doctor | roads | user | settings`: what an operator does by hand, through the records of the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from tracker.actions.letters.mailbag import mailbag
from tracker.actions.people.leaving import end_sign_in
from tracker.actions.people.passwords import Passwords
from tracker.actions.settings import write_settings
from tracker.actions.trip import devices
from tracker.app import open_house
from tracker.config import read
from tracker.domain.accounts import Actor
from tracker.domain.appointments import Role
from tracker.domain.passwords import fault
from tracker.errors import BadInput, Conflict, NotFound, WeakPassword
from tracker.records import audit, migrations, people, technicians
from tracker.records import settings as settings_records
from tracker.records.database import Database, new_id
from tracker.records.violations import ConstraintViolated
from tracker.roads.build import build, read_manifest
from tracker.web.health import parts_of

WHO = "command"
OPERATOR = Actor(Role.ADMIN, name=WHO)
"""Whoever may run commands on this machine."""


@asynccontextmanager
async def _records() -> AsyncIterator[Database]:
    config = read()
    config.data.mkdir(parents=True, exist_ok=True)
    db = Database(config.database_url)
    try:
        yield db
    finally:
        await db.close()


async def migrate_now() -> None:
    """Run every migration that is missing."""
    async with _records() as db:
        await migrations.migrate(db)
    click.echo("The database is up to date.")


async def examine() -> int:
    """Print what answers and what does not; 1 if something must be mended."""
    config = read()
    found: dict[str, str] = {"configuration": "ok"}
    async with open_house(config) as house:
        found |= await parts_of(house)
        if found["records"] == "not migrated":
            found["records"] = "not migrated: run `tracker migrate`"
        manifest = read_manifest(config.roads)
        found["roads"] = f"ok ({manifest.source})" if manifest else "not built: `tracker roads build REGION.osm.pbf`"
        found["router"] = house.router.name
        if found["records"] == "ok":
            bag = await mailbag(house)
            found["letters"] = "ok" if bag.ok else f"{bag.waiting} waiting, {bag.failed} given up: `tracker letters` prints them"
    for part, state in found.items():
        click.echo(f"{part:<14} {state}")
    return 0 if found["records"] == found["live"] == "ok" else 1


def build_roads(extract: Path) -> None:
    """Build a region into the data folder."""
    build(extract, read().roads, datetime.now(UTC), click.echo)


async def add_user(email: str, name: str, role: str, technician: str | None, password: str) -> None:
    """Add somebody who may sign in."""
    if (role == "technician") is (technician is None):
        raise BadInput("--technician belongs to --role technician, and is needed there.")
    if weak := fault(password, [email, name]):
        raise WeakPassword(weak)
    password_hash = await Passwords().hashed(password)
    person = people.Person(
        id=new_id(), email=email, name=name, role=Role(role), password_hash=password_hash, technician_id=technician
    )
    async with _records() as db:
        try:
            async with db.transaction() as tx:
                await people.add(tx, person, datetime.now(UTC))
                await audit.write(tx, datetime.now(UTC), WHO, "user.added", person.id, after={"role": role})
        except ConstraintViolated as violated:
            raise Conflict("This address has a sign-in already, or there is no such technician.") from violated
    click.echo(f"{person.email} may sign in as {role}.")


async def list_users() -> None:
    """Print everybody who may sign in."""
    async with _records() as db, db.reading() as tx:
        for person in await people.everybody(tx):
            click.echo(f"{person.role:<11} {person.email:<40} {person.name}")


async def end_user(email: str) -> None:
    """End a sign-in, and the API tokens they made; its sessions are closed in every process before this returns."""
    async with open_house(read()) as house:
        revoked = await end_sign_in(house, OPERATOR, email)
    click.echo(f"{email} can no longer sign in." + (f" API tokens revoked with it: {revoked}." if revoked else ""))


async def add_phone(technician: str, name: str) -> None:
    """Make a phone's token; the technician's first phone is the chosen one."""
    config = read()
    async with open_house(config) as house:
        phone = await devices.add_phone(house, OPERATOR, technician, name)
    click.echo(f"Phone:                    {phone.device}\nToken (shown this once):  {phone.token}")
    click.echo(f"Address for stock apps:   {config.public.url}/i/{phone.token}")


async def list_phones(technician: str) -> None:
    """Print a technician's phones; a star stands before the chosen one."""
    async with _records() as db, db.reading() as tx:
        found = await technicians.by_id(tx, technician)
        if found is None:
            raise NotFound("There is no technician with this id.")
        for phone in await technicians.devices_of(tx, technician):
            click.echo(f"{'*' if phone.id == found.device_id else ' '} {phone.id} {phone.name}")


async def revoke_phone(device: str) -> None:
    """End a phone's token everywhere."""
    async with open_house(read()) as house:
        await devices.revoke_phone(house, OPERATOR, device)
    click.echo("The token opens nothing any more.")


async def choose_phone(device: str) -> None:
    """Let this phone move the marker."""
    async with open_house(read()) as house:
        await devices.choose_phone(house, OPERATOR, device)
    click.echo("This phone moves the marker now.")


async def list_settings() -> None:
    """Print every setting with its value."""
    async with _records() as db, db.reading() as tx:
        for key, value in msgspec.structs.asdict(await settings_records.read(tx)).items():
            click.echo(f"{key:<28} {msgspec.json.encode(value).decode()}")


async def set_setting(key: str, value: str) -> None:
    """Change one setting, audited."""
    try:
        wanted = msgspec.json.decode(value)
    except msgspec.DecodeError:
        wanted = value
    async with _records() as db, db.transaction() as tx:
        await write_settings(tx, WHO, {key: wanted}, datetime.now(UTC))
    click.echo(f"{key} = {msgspec.json.encode(wanted).decode()}")
