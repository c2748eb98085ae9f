"""Foresight: forecasters (one per file), calibration, anomalies. Pure: arrays in, arrays out. It knows the model alone."""
