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

# Coverage-guided fuzzing of every decoder, SECONDS for each target.
fuzz SECONDS="60":
    cargo xtask fuzz {{SECONDS}}

# The full counts of the randomised proofs.
deep:
    PROPTEST_CASES=20000 TIDEGATE_CRASH_POINTS=200000 cargo xtask test
    cargo xtask schedules 1000000
    cargo test --profile bench -p delivery --lib exhaustive -- --include-ignored --nocapture
    cargo xtask test overload --ignored --test-threads 1
    TIDEGATE_CRASHES=2000 cargo test -p delivery --lib a_crash_at_any_step_of_the_disk
    TIDEGATE_KILLS=5000 cargo test -p collector --test product durable::a_collector_that_is_killed -- --nocapture
    just fuzz 120
