"""Signals: measured series. Sources answer readings; readings become the fleet's levels; gaps stay gaps."""
