"""Which findings become updates, and why the others do not. Pure."""
