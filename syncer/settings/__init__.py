"""From a YAML file and the environment to settings, every fault at once."""

from syncer.settings.errors import Fault, Place, SettingsError
from syncer.settings.loading import load
from syncer.settings.root import Settings

__all__ = ["Fault", "Place", "Settings", "SettingsError", "load"]
