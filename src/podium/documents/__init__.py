"""What people write: reading YAML as the cluster reads it, the kinds, their JSON Schemas and CRDs."""
