"""Keeps Consul and AWS Cloud Map in step: a service known to one is found in the other."""

__version__ = "0.1.0"
