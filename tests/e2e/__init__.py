"""Everything together: a real Consul, an emulated Cloud Map, the installation that a settings file describes."""
