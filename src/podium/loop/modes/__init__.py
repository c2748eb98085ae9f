"""The ways in between looking on and writing replicas: a metric for others' autoscalers, a floor under them."""
