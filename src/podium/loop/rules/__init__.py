"""Rules of users: conditions in CEL, asked of a process that can be killed, or of arrays where that says the same."""
