"""Target groups as a target, against emulated ones over HTTP."""
