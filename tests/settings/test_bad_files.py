"""Every file in ``bad/`` names the faults it must get, behind ``#!``, one a line."""

from pathlib import Path

import pytest

from syncer.settings import SettingsError, load

FILES = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_bad_file_gets_all_its_faults_at_once_each_with_its_line_and_what_to_write(file: Path) -> None:
    expected = [
        line.removeprefix("#! ")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("#! ")
    ]
    assert expected
    with pytest.raises(SettingsError) as caught:
        load(file, {})
    assert [str(fault).removeprefix(f"{file}:") for fault in caught.value.faults] == expected
    assert str(caught.value).count("\n") == len(expected) - 1


def test_a_fault_leads_to_its_file_line_and_key() -> None:
    file = next(file for file in FILES if file.stem == "durations")
    with pytest.raises(SettingsError) as caught:
        load(str(file), {})
    fault = caught.value.faults[0]
    assert (fault.place.source, fault.place.line, fault.key) == (str(file), 2, "consul.timeout")
    assert (fault.problem, fault.remedy) == (
        "'5 minutes' is no duration",
        "write 15s, 500ms, 5m or 2h",
    )
