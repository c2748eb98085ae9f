"""May they, and who did: roles, permits, encryption, evidence."""
