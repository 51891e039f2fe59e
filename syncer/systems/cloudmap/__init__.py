"""AWS Cloud Map: one namespace as a registry."""
