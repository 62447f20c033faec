from hypothesis import HealthCheck, settings

# A busy machine is no fault of the code: what must be fast has a test of its own.
properties = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
