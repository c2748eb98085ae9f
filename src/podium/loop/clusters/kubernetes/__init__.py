"""A real Kubernetes cluster behind the port: `cluster` asks and writes, `reading` turns answers into arrays."""
