"""Benchmarks against a real Consul and the emulated Cloud Map; every figure beside a plain poller's in the same run."""
