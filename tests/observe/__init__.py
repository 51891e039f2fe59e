"""Tests of who watches: log, metrics, status, web."""
