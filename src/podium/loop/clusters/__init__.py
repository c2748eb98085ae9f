"""The clusters that the loop observes and scales: one port, a simulated and a Kubernetes adapter, one test suite."""
