"""Who: tenants, plans, inheritance with origin, quotas and shares."""
