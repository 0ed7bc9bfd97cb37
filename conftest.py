"""For pytest in the root: scenario files are tests too (`pytest scenarios/ --mail-target=…`)."""

# The suites in tests/suites are run by tests/record/test_real_suites.py, each beside a recorded server.
collect_ignore_glob = ["reports/*", "tests/suites/*"]
