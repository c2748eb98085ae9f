"""A real control plane with many workloads, and the load that is played to whoever scales them."""
