"""Planted faults, one area a file; `planting.load_all` imports them all."""
