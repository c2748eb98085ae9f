"""What `podium doctor` looks at: the machine, the installation, and what lies outside. Each check is a few rows."""
