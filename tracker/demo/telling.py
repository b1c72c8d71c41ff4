"""What the demo tells others: the simulator its plan, and the newcomer where to go and as whom."""

import sys

import msgspec

from tracker.config import Config
from tracker.demo import cast
from tracker.demo.seed import Demo, Driver

PACE = {"before_s": [2, 10], "at_door_s": [5, 12], "work_s": [150, 300], "haste": [0.95, 1.15]}
"""How the simulated technicians work: quickly, for nobody watches a demo for an hour."""


def here(config: Config) -> str:
    """The web process as it is reached on this machine."""
    return f"{config.public.scheme}://127.0.0.1:{config.port}"


def plan_of(config: Config, demo: Demo) -> bytes:
    """What the simulator is told: the phones' tokens, where they live, whom to ask for roads."""
    address = config.data / "router" / "address"
    router = {"url": address.read_text().strip(), "kind": "valhalla"} if address.exists() else None
    plan = {
        "url": here(config),
        "technicians": [_person(demo, one) for one in demo.drivers],
        "router": router,
        "pace": PACE,
        "ask_again_s": 6,
        "verify": not config.public.secure,
    }
    return msgspec.json.encode(plan)


def _person(demo: Demo, driver: Driver) -> dict[str, object]:
    """A technician of the plan. Who stands by leaves early: whoever books a visit for now wants to see somebody set off."""
    early = PACE | {"early_s": [1500, 1800], "before_s": [1, 3], "haste": [1.25, 1.4]}
    one: dict[str, object] = {"name": driver.name, "token": driver.token, "home": driver.home}
    return one | ({"pace": early} if driver in demo.standby else {})


def greeting(config: Config, demo: Demo) -> str:
    """What the newcomer reads: where to go, and as whom."""
    url = config.public.url
    what = {
        "customer": "follow the technician, book a visit",
        "dispatcher": "the company's day",
        "technician": "the day of one technician",
        "admin": "the same day; with /api/v1 everything",
    }
    rows = "\n".join(
        f"  {url}/sign-in   {one.role:<11} {one.email:<22} {one.password:<14} {what[one.role]}" for one in demo.sign_ins
    )
    return f"""
The city is alive: {len(demo.drivers)} technicians drive in central Helsinki, in real time. Open one of these and sign in:

{rows}

The customer ({cast.CUSTOMER[0]}) always has somebody on the way, or will in a few minutes: choose "View live map".
Book a visit for the next quarter of an hour: a van sets off within seconds, and is on the map two or three minutes later.
Letters arrive in {url}/demo/mailbox: the first invites {cast.GUEST[0]}, follow its link (it works once).
Data and logs: {config.data}
Commands, in another terminal: TRACKER_DATA={config.data} TRACKER_PORT={config.port} {sys.executable} -m tracker letters
Stop with Ctrl-C. Started again, everybody is where they were.
"""
