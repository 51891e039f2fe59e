"""Elastic Load Balancing: target groups as services to write into, one target for each address and port."""
