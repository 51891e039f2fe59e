"""Consul: reading, writing and watching one datacenter."""
