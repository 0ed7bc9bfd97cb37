"""One shared instance: what it keeps together, and each violating class brought about on it for real."""
