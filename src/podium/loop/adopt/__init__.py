"""Other autoscalers' objects taken over: read, turned into policies, handed over without a gap, and given back."""
