"""The routes that the settings describe, by name, without asking any registry."""

from syncer.settings import Settings


def route_names(settings: Settings, *, disabled: bool = False) -> tuple[str, ...]:
    """Return the ids of all routes that are on; with *disabled* those of directions that are turned off, too."""
    found: list[str] = []
    for label, section in zip(settings.labels(), settings.namespaces, strict=True):
        if disabled or section.consul_to_cloudmap.enabled:
            found.append(f"consul->{label}")
        if disabled or section.cloudmap_to_consul.enabled:
            found.append(f"{label}->consul")
    return tuple(found)
