"""Tests; every helper that several of them share is in tests.support."""
