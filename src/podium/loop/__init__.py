"""The control loop: observe, forecast, decide, act, verify. `cycle.py` is its table of contents."""
