"""Frozen values that every other folder speaks of: operations, attempts, outcomes, anomalies, results."""
