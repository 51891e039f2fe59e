"""When it is done: hints, passes, back-off, leases and leaving."""
