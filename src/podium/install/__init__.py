"""What is laid into a cluster so that Podium runs there, what the cluster must be, and how it goes away again."""
