"""The doors at which others' autoscalers ask: HPAs through external.metrics.k8s.io, and KEDA."""
