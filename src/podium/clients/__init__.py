"""The wire: one file per system that several rooms speak to. Only this package opens sockets to them."""
