# `make` alone says what there is. Everything is built inside this folder: .venv, .tools, dashboard/node_modules.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check test-all shared bench soak brief docs cluster lock clean venv dev page servers

PYTHON ?= $(shell tools/pythons | head -n 1)
RUN := requirements/run.txt requirements/demo.txt
DEV := requirements/dev.txt requirements/demo.txt
PAGE := src/podium/api/static/index.html
PAGE_SOURCES := $(shell find dashboard -type f -not -path '*/node_modules/*' 2>/dev/null)
WITH_NODE = PATH="$$(tools/node $(PYTHON)):$$PATH"; export PATH; cd dashboard
COMPILE = "$$(tools/uv $(PYTHON))" pip compile -q --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links --no-annotate --upgrade

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv page ## three tenants on a simulated cluster under recorded load, with the live page
	.venv/bin/podium run --demo

test: dev page ## the quick tests, which need only Python and Node
	tools/test
	$(WITH_NODE) && npm run --if-present test

check: dev page ## format, lint, types, import contract, the page's types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy --strict -p tools
	.venv/bin/lint-imports
	$(WITH_NODE) && npm run --if-present check

test-all: dev page servers ## other Pythons, the slow tests, and real servers: Kubernetes, PostgreSQL, Prometheus, Chromium
	tools/test-all

shared: dev page ## the exams that read ../shared
	.venv/bin/pytest -rs -n 2 -m shared

bench: dev ## every benchmark but the soak: ours, peers, ratio
	@for file in $(filter-out benchmarks/soak.py,$(wildcard benchmarks/[a-z]*.py)); do \
		echo "== $$file"; .venv/bin/python "$$file" || exit 1; done

soak: dev ## an hour of podium run with 10,000 workloads
	.venv/bin/python benchmarks/soak.py

brief: dev page ## run what docs/brief.csv says works, render docs/brief.md, print the counts
	.venv/bin/python -m tools.brief

docs: dev ## write docs/reference, the Grafana dashboard and the chart's files anew from the models
	.venv/bin/python -m tools.reference
	.venv/bin/python -m tools.dashboard
	.venv/bin/python -m tools.chart

cluster: dev ## a real Kubernetes control plane on this machine; prints its kubeconfig
	.venv/bin/python testbed/cluster.py

lock: ## write requirements/*.txt anew from pyproject.toml and requirements/*.in
	$(COMPILE) pyproject.toml requirements/build.in -o requirements/run.txt
	$(COMPILE) pyproject.toml requirements/build.in --extra postgresql --extra parquet --extra otel --extra keda --group dev \
		-c requirements/run.txt -o requirements/dev.txt
	$(COMPILE) pyproject.toml requirements/build.in --extra postgresql --extra parquet --extra otel --extra keda \
		-c requirements/dev.txt -o requirements/container.txt
	$(COMPILE) --no-deps requirements/demo.in -o requirements/demo.txt
	$(COMPILE) requirements/node.in -o requirements/node.txt
	$(COMPILE) requirements/uv.in -o requirements/uv.txt

clean: ## remove what was built: environments, caches, the page
	rm -rf .venv .tools dashboard/node_modules src/podium/api/static
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@test -n "$(PYTHON)" || { echo "Podium needs Python >= 3.11; none of the Pythons on this machine runs" >&2; exit 1; }
	@tools/venv "$(PYTHON)" .venv $(RUN)

dev:
	@test -n "$(PYTHON)" || { echo "Podium needs Python >= 3.11; none of the Pythons on this machine runs" >&2; exit 1; }
	@tools/venv "$(PYTHON)" .venv $(DEV)

page: $(PAGE)

$(PAGE): dashboard/node_modules/.package-lock.json $(PAGE_SOURCES)
	$(WITH_NODE) && npm run build
	touch $@

dashboard/node_modules/.package-lock.json: dashboard/package-lock.json
	$(WITH_NODE) && npm ci --no-audit --no-fund
	touch $@

servers:
	tools/servers
	@if command -v go >/dev/null; then .venv/bin/python testbed/binaries.py; fi
