"""A real Kubernetes control plane on this machine, without containers: for tests, benchmarks and `make cluster`."""
