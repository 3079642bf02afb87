# Koshu's commands. Each target calls one script; the scripts say what they do and can be read in a minute.
#
# CARGO_TARGET_DIR is respected (default: ./target); ARGS adds arguments for the program that a target starts.

export CARGO_TARGET_DIR ?= $(CURDIR)/target

.DEFAULT_GOAL := help
.PHONY: help run test bench fuzz format

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and start Koshu with its living demonstration (data in ./var)
	@scripts/run $(ARGS)

test: ## Formatting, lints, all tests: what CI runs
	@scripts/test

bench: ## Measure; writes docs/benchmarks.md
	@scripts/bench/run $(ARGS)

fuzz: ## Look for bytes that break a decoder, a minute for each of them
	@scripts/fuzz $(ARGS)

format: ## Format Rust and web code
	@scripts/format
