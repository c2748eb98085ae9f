"""Foresight: forecasters (one per file), calibration, anomalies. Pure: arrays in, arrays out; it knows the model alone.

A forecaster is a point model (`last_value`, `seasonal_profile`, `mixture`) in a band of its own past errors (`banded`,
`residuals`). `outlook` is what the loop holds: it feeds a forecaster and has `calibration` judge what it says.
"""
