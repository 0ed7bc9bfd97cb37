"""For pytest in the root: scenario files are tests too (`pytest scenarios/ --mail-target=…`)."""

collect_ignore_glob = ["reports/*"]
