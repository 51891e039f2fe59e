"""Probes of everything that the settings rely on: each gives findings, none changes anything."""
