# Everything a newcomer needs: git, make, python3 and pip. `make demo` shows the service, `make test` proves it.
.POSIX:
.PHONY: help demo test check bench faults lock format clean

ARGS =
PYTHON = .venv/bin/python

help:
	@echo 'make demo     a living city on this machine; ARGS="--port N --technicians N --https"'
	@echo 'make test     every test (installs Chromium, PostgreSQL and Redis by apt-get when run as root)'
	@echo 'make check    ruff, mypy --strict, import-linter'
	@echo 'make bench    the figures of docs/benchmarks.md, each a ratio to a floor of the same run'
	@echo 'make faults   the long fault tests'
	@echo 'make lock     resolve the dependencies anew'

demo: .venv/runtime
	@exec $(PYTHON) -m tracker demo $(ARGS)

test: .venv/dev
	@sh .ci/servers
	@# four at once on two cores: half of a test's time is waiting for a server or a page;
	@# bytecode is kept whatever the environment says, or every process of the tests would compile the service anew
	PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy

bench: .venv/dev
	$(PYTHON) -m tests.benchmarks $(ARGS)

faults: .venv/dev
	@sh .ci/servers
	$(PYTHON) -m pytest -m faults $(ARGS)

format: .venv/dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# The demo installs what the service needs; tests and checks add their tools to the same folder.
.venv/runtime: requirements.lock .python-version
	@sh .ci/environment requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	@sh .ci/environment requirements-dev.lock
	@touch $@

LOCK = .uv/bin/uv pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-annotate --no-emit-index-url
lock:
	@sh .ci/uv
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) pyproject.toml --extra dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis
