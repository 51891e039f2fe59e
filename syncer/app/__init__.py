"""Settings turned into registries, routes and an engine: the one place of wiring."""
