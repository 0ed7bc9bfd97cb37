"""Splits a command's question into cells, has workers look at them, and gives the command's own answer.

    scenarios, targets, pairs → cells → workers (Dask) → outcomes → the command's own folder and document

Only JSON travels, both ways. `cell.py` has the values, `look.py` what a worker does with a cell,
`dispatch.py` who gets which cell; `runs.py`, `gates.py` and `surveys.py` put the outcomes together. How it
works: docs/campaign.md.
"""
