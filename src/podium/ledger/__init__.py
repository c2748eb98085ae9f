"""The append-only record of everything: typed append, tick chunks, hash chain, signed heads."""
