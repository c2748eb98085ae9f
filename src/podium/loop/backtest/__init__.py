"""Back-testing: what policies would have done with a recorded load, by the rules that make their figures comparable."""
