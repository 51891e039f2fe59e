"""AWS Cloud Map: reading, writing and following its namespaces."""
