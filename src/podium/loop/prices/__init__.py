"""What a replica costs: a dated table with its sources, and exact arithmetic in int64 micro-units of a currency.

No price is unknown, never zero.
"""
