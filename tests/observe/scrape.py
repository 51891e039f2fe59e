"""Metrics as a scrape shows them."""

from prometheus_client.parser import text_string_to_metric_families

from syncer.observe.metrics import PREFIX, Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """Return one sample as a scrape shows it; None where there is none."""
    _, body = metrics.render()
    for family in text_string_to_metric_families(body.decode()):
        for sample in family.samples:
            if sample.name == f"{PREFIX}_{name}" and sample.labels == labels:
                return float(sample.value)
    return None
