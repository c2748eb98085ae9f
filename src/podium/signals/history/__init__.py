"""Samples kept: what was observed of each signal and workload, for a month by default, in compressed chunks.

The ledger keeps every turn whole for a week, to decide it again. This keeps values alone, one a minute, to look back
and to back-test. It is no part of the record; what it loses in a crash it takes from the ledger again.
"""
