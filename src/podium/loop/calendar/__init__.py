"""What is known ahead because somebody announced it: events in documents, and the usual load they are measured by."""
