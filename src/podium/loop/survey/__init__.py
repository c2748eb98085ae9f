"""One look at a cluster that nobody prepared: what it could save, and what will hurt. It writes nothing."""
