"""`mailrace merge`, `matrix`, `bisect`, `retries`, `watch`: questions that take many runs, or a log."""
