"""Deciding: pure, on arrays, one call for the whole fleet. An ordered list of policies bends one draft.

Arithmetic is int64 thousandths and float64 with add, multiply, divide, compare and rounding alone, so that a recorded
decision recomputes bit for bit on any machine.
"""
