"""The wheel, as it is installed elsewhere."""
