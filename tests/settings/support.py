"""What the tests of the settings have in common."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from syncer.settings import Settings, SettingsError, load

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"
LEAST = "owner: vpc-prod\nnamespaces: [{name: corp.internal}]\n"


def loaded(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in *text*, as a file in *folder*."""
    file = folder / "syncer.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ or {})


def faults(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the faults in *text*, without the folder's name."""
    with pytest.raises(SettingsError) as caught:
        loaded(folder, text, environ)
    return [str(fault).removeprefix(f"{folder}/") for fault in caught.value.faults]
