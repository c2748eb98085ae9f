"""What one replica serves, learned from what it served: load per ready replica against CPU, latency or saturation."""
