"""Logs, statistics and the ledger over HTTP."""
