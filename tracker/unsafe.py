"""What no service may be started with, though each value is well-formed: combinations that give people or technicians away."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from tracker.addresses import PublicAddress, is_loopback, is_of_the_world


def unsafe(public: PublicAddress | None, port: int, values: Mapping[str, Any], *, behind_proxy: bool) -> list[str]:
    """Every fault, each a sentence that names the variable and the way out. ``values``: as `config.Config` names them."""
    faults = [*_proxies(values["trusted_proxies"]), *_certificate(values)]
    if port and values["metrics_port"] == port:
        faults.append("TRACKER_METRICS_PORT must not be TRACKER_PORT")
    if public is not None:
        faults += [*_demo(public), *_listening(public, values, behind_proxy), *_tiles(public, values["tiles_url"])]
    return faults


def _proxies(said: str) -> Iterator[str]:
    """Whoever is believed may name any address: limits on guessing passwords would then be none."""
    for one in filter(None, (part.strip() for part in said.split(","))):
        try:
            network = ipaddress.ip_network(one, strict=False)
        except ValueError:
            if one == "*":
                yield "TRACKER_TRUSTED_PROXIES must not be *: name your proxy's address, or its network as 10.0.0.0/8"
            else:
                yield "TRACKER_TRUSTED_PROXIES must be addresses or networks, with commas between them"
        else:
            if network.prefixlen < (8 if network.version == 4 else 7):
                yield "TRACKER_TRUSTED_PROXIES trusts half the world: name your proxy's own address or network"


def _certificate(values: Mapping[str, Any]) -> Iterator[str]:
    if (values["tls_cert"] is None) is not (values["tls_key"] is None):
        yield "TRACKER_TLS_CERT and TRACKER_TLS_KEY belong together: set both or none"


def _demo(public: PublicAddress) -> Iterator[str]:
    """The demo makes its own secret and people with known passwords: nothing for an address that the world can reach."""
    if public.demo and public.secure and is_of_the_world(public.host):
        yield "TRACKER_DEMO must not be 1 at an https address of the world: a demo is for this machine and its own network"


def _listening(public: PublicAddress, values: Mapping[str, Any], behind_proxy: bool) -> Iterator[str]:
    """Plain http beyond this machine carries every sign-in in the open, unless something else decides who gets there."""
    beyond = not is_loopback(values["host"])
    if beyond and not public.demo and not behind_proxy and values["tls_cert"] is None:
        yield (
            "TRACKER_HOST listens beyond this machine in plain http: put a proxy or a container's port map before it, let nobody "
            "else reach it, and say so by TRACKER_BEHIND_PROXY=1"
        )


def _tiles(public: PublicAddress, tiles_url: str | None) -> Iterator[str]:
    if public.secure and tiles_url is not None and not tiles_url.startswith("https://"):
        yield "TRACKER_TILES_URL must be https as the pages are: browsers show no map from plain http there"
