"""Deciding: pure, on arrays, an ordered list of policies."""
