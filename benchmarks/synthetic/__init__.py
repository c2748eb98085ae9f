"""A synthetic fleet of any size that answers from memory: what benchmarks turn the loop on."""
