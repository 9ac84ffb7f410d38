# `make` lists what there is. With podman: `make DOCKER=podman docker-build`.

DOCKER ?= docker
# What this machine's engine needs besides: `docker build` and `docker run` get these.
DOCKER_BUILD_FLAGS ?=
DOCKER_RUN_FLAGS ?=
COMPOSE ?= $(DOCKER) compose

IMAGE := actix-test-server
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
build_image := $(DOCKER) build $(DOCKER_BUILD_FLAGS) --label org.opencontainers.image.revision=$(REVISION)
hardened := --read-only --cap-drop ALL --security-opt no-new-privileges

export DOCKER DOCKER_BUILD_FLAGS DOCKER_RUN_FLAGS

.DEFAULT_GOAL := help
.PHONY: help install dev dev-setup test test-unit test-integration test-scripts test-browser test-performance coverage \
        lint format typecheck ci clean \
        docker-build docker-server docker-stop docker-test docker-test-performance docker-test-all docker-clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-26s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: ## Install test-server and resilient into ~/.cargo/bin
	cargo install --locked --path server
	cargo install --locked --path client

dev: ## Run the server for development: starts anew when it is rebuilt or .env changes
	cargo run --locked --package test-server -- serve --reload --log-format console --log-level debug

dev-setup: ## Install what development needs: rustfmt, clippy, the crates, and the hooks of pre-commit
	@if command -v rustup >/dev/null; then rustup component add rustfmt clippy; \
	else echo "SKIPPED: without rustup, install rustfmt and clippy as you installed Rust"; fi
	cargo fetch --locked
	@if command -v pre-commit >/dev/null; then pre-commit install; \
	else echo "SKIPPED: the hooks need pre-commit (https://pre-commit.com): pip install pre-commit"; fi

test: ## Run all tests but the performance tests
	cargo test --workspace --locked

test-unit: ## Run the tests inside the crates
	cargo test --workspace --locked --lib --bins

test-integration: ## Run the tests of whole programs; with BASE_URL=http://…, those that fit a running server
ifeq ($(BASE_URL),)
	cargo test --locked --package workspace-tests
else
	BASE_URL=$(BASE_URL) cargo test --locked --package workspace-tests --test running_server
	BASE_URL=$(BASE_URL) scripts/run_all.sh
endif

coverage: ## Measure which lines the tests run: target/llvm-cov/html/index.html
	@cargo llvm-cov --version >/dev/null 2>&1 || { \
	  echo "coverage needs cargo-llvm-cov: cargo install cargo-llvm-cov && rustup component add llvm-tools" >&2; \
	  exit 1; }
	cargo llvm-cov --workspace --locked --html

test-scripts: ## Run the shell scenarios, each against a server of its own
	scripts/run_all.sh

test-browser: ## Drive the live page in headless Chromium; needs node 20 or newer. Pictures: target/screenshots
	cargo build --locked --package test-server --package resilient-client
	cd tests/browser && npm ci && npm test

test-performance: ## Measure server and client beside baselines, in the same run
	benches/run.sh

lint: ## Check the code, and the scripts where shellcheck is installed
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh benches/*.sh .ci/run; \
	else echo "SKIPPED: shellcheck is not installed"; fi

format: ## Format the code
	cargo fmt --all

typecheck: ## Type-check everything, without building it
	cargo check --workspace --all-targets --locked

ci: ## Run what CI runs
	.ci/run

clean: ## Remove what was built
	cargo clean

docker-build: ## Build both images: actix-test-server and resilient
	$(build_image) --target resilient --tag resilient .
	$(build_image) --tag $(IMAGE) .

docker-server: docker-build ## Run the server in a container on port 8000, until Ctrl-C
	$(DOCKER) run $(DOCKER_RUN_FLAGS) --rm $(hardened) --publish 8000:8000 --name $(IMAGE) $(IMAGE)

docker-stop: ## Stop and remove the containers that docker-server and compose have started; keep the images
	-$(DOCKER) stop --time 15 $(IMAGE)
	$(COMPOSE) --profile dev --profile load-test down

docker-test: ## Build the image, check it hardened, and run the scenarios against it
	TEST_CONTAINER=1 cargo test --locked --package workspace-tests --test container -- --nocapture

docker-test-performance: docker-build ## Put load on the server in a container, with the client in another
	@trap '$(DOCKER) rm --force $(IMAGE)-load >/dev/null; $(DOCKER) network rm $(IMAGE)-load >/dev/null' EXIT; \
	trap 'exit 130' INT; trap 'exit 143' TERM; set -ex; \
	$(DOCKER) network create $(IMAGE)-load >/dev/null; \
	$(DOCKER) run $(DOCKER_RUN_FLAGS) --detach $(hardened) --network $(IMAGE)-load --name $(IMAGE)-load $(IMAGE); \
	$(DOCKER) run $(DOCKER_RUN_FLAGS) --rm $(hardened) --network $(IMAGE)-load resilient \
	  load http://$(IMAGE)-load:8000/msg --requests 50000 --concurrency 50

docker-test-all: docker-test docker-test-performance ## Both of them

docker-clean: ## Remove the containers, networks and images made here
	-$(DOCKER) rm --force $(IMAGE) $(IMAGE)-load
	-$(DOCKER) network rm $(IMAGE)-load
	-$(DOCKER) image rm --force $(IMAGE) resilient
