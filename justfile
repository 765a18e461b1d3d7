# `check` is the read-only gate; CI runs the same commands through `.ci/run`.

check:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- -D warnings
    cargo xtask tidy
    cargo xtask policy
    cargo xtask docs --check
    cargo xtask test
    cargo xtask mutants

fix:
    cargo fmt
    cargo clippy --workspace --all-targets --fix --allow-dirty
    cargo xtask docs

test *FILTER:
    cargo xtask test {{FILTER}}

# The hot paths, one by one; `cargo xtask instructions` guards what they take.
bench:
    cargo bench --package wire
    cargo bench --package runtime
    cargo bench --package journal

# The whole process between a generator and a sink, next to proxies that do nothing.
bench-path *ARGS:
    python3 bench/path.py {{ARGS}}

# What it costs to follow files, next to `cat`.
bench-files *ARGS:
    python3 bench/files.py {{ARGS}}

# What log groups that take nothing cost the one that does.
bench-rates *ARGS:
    python3 bench/rates.py {{ARGS}}

# Coverage-guided fuzzing of every decoder, SECONDS for each target.
fuzz SECONDS="60":
    cargo xtask fuzz {{SECONDS}}

# The randomised proofs with their full counts: all of them, or the STEPS that are named.
deep *STEPS:
    cargo xtask deep {{STEPS}}
