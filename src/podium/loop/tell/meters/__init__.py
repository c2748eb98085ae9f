"""The loop's own telemetry for `/metrics`, by Prometheus' conventions.

Counters and histograms are added to turn by turn; gauges are computed from the last turn when somebody asks. No label
names a workload, unless the settings ask for so many; tenants are bounded as well, so that 100,000 workloads cost
Prometheus a few hundred series.
"""
