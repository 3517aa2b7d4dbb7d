# Everything a person needs by one word. `make` alone lists the words.
#
# Rust, git, make, a C compiler, python3 and its pip have to be there; the rest is installed when it is first needed,
# after saying so, below target/ or in Plimsoll's cache. Chromium, xfsprogs and btrfs-progs alone are system packages,
# installed as root only.

.PHONY: help demo test bench bench-many-files bench-tap bench-regress bench-logs bench-evaluate bench-branches accuracy lint docs clean

# More flags for `cargo test`, as in: make test TEST_FLAGS=--no-fail-fast
TEST_FLAGS ?=

help:
	@echo 'make demo      check the example harbour, and write a report to look at'
	@echo 'make test      run all tests, on PostgreSQL 15 and 18'
	@echo 'make bench     run the benchmarks; bench-many-files alone: lint of 5,000 files beside squawk; bench-tap alone: the tap; bench-branches: branches, as root; bench-regress: a corpus; bench-logs: logs beside pgBadger; bench-evaluate: evaluate beside scikit-learn'
	@echo '               beside a direct connection and pgbouncer'
	@echo 'make accuracy  hold lint against the histories of other projects (slow)'
	@echo 'make lint      check format, lints and licences'
	@echo 'make docs      build the API documentation'
	@echo 'make clean     delete what was built'

demo:
	@sh scripts/demo.sh

test:
	@sh scripts/prepare-tests.sh
	PLIMSOLL_TEST_FOLDER="$$(sh scripts/quick-folder.sh)" PLIMSOLL_TEST_PYTHON='$(CURDIR)/target/test-venv/bin/python' \
		cargo test --workspace --locked $(TEST_FLAGS)

bench:
	cargo bench --workspace --locked
	@sh scripts/bench-many-files.sh
	@sh scripts/bench-tap.sh

bench-branches:
	@sh scripts/bench-branches.sh

bench-logs:
	@sh scripts/bench-logs.sh

bench-evaluate:
	@sh scripts/bench-evaluate.sh

bench-regress:
	@sh scripts/bench-regress.sh

bench-tap:
	@sh scripts/bench-tap.sh

bench-many-files:
	@sh scripts/bench-many-files.sh

# Not a test: it fetches some gigabytes of other projects into target/accuracy, and takes about an hour at first.
accuracy:
	cargo build --release --locked -p plimsoll
	cargo build --release --locked -p plimsoll_pg --example accuracy
	@sh scripts/ensure-server.sh "$$(sh scripts/target-folder.sh)/release/plimsoll" 15 18
	python3 scripts/accuracy/render.py "$$(sh scripts/target-folder.sh)/release/plimsoll" target/accuracy
	"$$(sh scripts/target-folder.sh)/release/examples/accuracy" target/accuracy/histories

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@sh scripts/ensure-cargo-deny.sh
	cargo deny check licenses bans sources

docs:
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked
	@echo "Documentation: $$(sh scripts/target-folder.sh)/doc/plimsoll/index.html"

clean:
	cargo clean
	rm -rf target/test-venv target/bench-venv target/accuracy
	rm -f examples/*/report.html
