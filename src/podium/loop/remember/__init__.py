"""Remembering: what is recorded of each turn, and the way back from the ledger to memory, to a moment, to a replay."""
