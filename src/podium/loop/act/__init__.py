"""Acting: a pure plan of commands, a recheck, and the writes."""
