"""A command's question in cells, each looked at by one of many workers; the command's own answer out.

    scenarios, targets, pairs → cells → workers (Dask) → outcomes → the command's own folder and document

Both ways only JSON travels. `cell.py` has the values, `look.py` what a worker does with one, `dispatch.py`
who gets which; `runs.py`, `gates.py` and `surveys.py` put the outcomes together. How it works:
docs/campaign.md.
"""
