"""The command line: one file per command group. It imports inside commands, so that --help stays fast."""
