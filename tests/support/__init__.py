"""What tests stand on: real agents, free ports, waiting for a condition."""
