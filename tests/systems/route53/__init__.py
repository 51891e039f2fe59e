"""Route 53 as a target, against an emulated Route 53 over HTTP and its DNS."""
