"""What was: the decisions and the course of the loop before this turn, from memory and from the ledger."""
