"""What senders push: decoded (`remote_write`, `otlp`), kept in memory (`store`), and read as any source (`source`)."""
