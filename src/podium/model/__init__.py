"""The nouns: workloads, quantities, readings, forecasts, decisions. No I/O, no clock, no settings.

Everything here is a value. Fleets are structs of arrays with one row (a *slot*) per workload, so that one call
serves ten workloads or a hundred thousand. Unknown is NaN in float arrays and `UNKNOWN` in integer ones, never zero.
"""
