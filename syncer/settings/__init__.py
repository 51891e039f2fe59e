"""From a YAML file and the environment to settings, every fault at once."""
