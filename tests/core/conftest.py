"""Random tests of pure functions: how many examples is what counts, not how long each takes on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("values", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("values")
