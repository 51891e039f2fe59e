"""Tests of the emulated AWS itself: what rests on it is only as true as it is."""
