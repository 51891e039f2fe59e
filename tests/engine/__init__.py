"""Tests of the engine, on registries in memory."""
