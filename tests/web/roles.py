"""The printed matrix of doors and roles: ``python -m tests.web.roles`` writes docs/roles.md from the routes themselves."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from portal_web.doors import portal
from tracker.actions.house import House
from tracker.app import create_app
from tracker.config import Config, PublicAddress
from tracker.domain.appointments import Role
from tracker.web.guard import Door, Files, SocketDoor

PAGE = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
HEAD = """# Who may knock where

Deny by default: a route that does not say which roles may use it stops the start (`tracker/app.py`), and a role that is
not named here is refused at the door. What is behind the door is refused to whom it does not concern, too: every
appointment that is not theirs is "not found". Made by `python -m tests.web.roles`; `tests/web/test_roles.py` asks each
door with each role.

Kinds: *page* (HTML; a form carries a token), *api* (JSON with the session's cookie, or a phone's token as Bearer),
*machine* (no cookie is looked at: phones with their own token, health), *socket* (a browser needs our Origin).

| method | path | kind | """


def described(route: BaseRoute) -> tuple[str, str, str, frozenset[Role]]:
    """Method, path, kind and roles of a door."""
    match route:
        case Door():
            methods = sorted((route.methods or set()) - {"HEAD"})
            return " ".join(methods), route.path, route.kind, route.roles
        case SocketDoor():
            return "WS", route.path, "socket", route.roles
        case Files():
            return "GET", f"{route.path}/…", "machine", route.roles
    raise TypeError(route)


def matrix(routes: Iterable[BaseRoute]) -> str:
    """The whole page."""
    lines = [HEAD + " | ".join(role.value.replace("_", " ") for role in Role) + " |", "|---" * (3 + len(Role)) + "|"]
    rows = sorted((described(route) for route in routes), key=lambda row: (row[1], row[0]))
    for method, path, kind, roles in rows:
        marks = " | ".join("●" if role in roles else "" for role in Role)
        lines.append(f"| {method} | `{path}` | {kind} | {marks} |")
    return "\n".join(lines) + "\n"


def whole_app(house: House | Any, config: Config) -> Any:
    """The application as `tracker serve` composes it."""
    pages = portal(config)
    return create_app(house, config, pages.routes, refusal_page=pages.refusal_page)


def main() -> None:
    """Write the page. The routes need no running part: they are made here and thrown away."""
    import asyncio
    import tempfile

    from tracker.app import open_house

    async def write() -> None:
        with tempfile.TemporaryDirectory() as folder:
            public = PublicAddress("http", "localhost", 8000)
            data = Path(folder)
            config = Config(
                public=public,
                data=data,
                database_url=f"sqlite:///{data / 'x.sqlite'}",
                redis_url="redis://localhost:1",
                secret=b"x" * 32,
            )
            async with open_house(config) as house:
                PAGE.write_text(matrix(whole_app(house, config).routes))

    asyncio.run(write())


if __name__ == "__main__":
    main()
