"""Faults on purpose: whatever fails, nothing that is alive leaves the other side."""
