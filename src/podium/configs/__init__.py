"""The configuration life cycle, one file per verb."""
