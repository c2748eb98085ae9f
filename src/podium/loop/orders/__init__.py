"""What people order beside documents: pauses, and belief in a source. Kept in the ledger, folded alike everywhere."""
