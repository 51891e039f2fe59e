import json
import signal
import subprocess
import sys
from pathlib import Path

import boto3

from tests.emulator_tests.conftest import ONCE
from tests.emulator_tests.steps import eventually

ROOT = Path(__file__).parents[2]


def test_the_command_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    ready, seed = tmp_path / "ready", tmp_path / "seed.json"
    seed.write_text(json.dumps({"namespaces": [{"name": "corp.internal", "services": [{"name": "web"}]}]}))
    words = [sys.executable, "-m", "tests.emulator", "--ready-file", str(ready), "--seed", str(seed)]
    words += ["--region", "eu-west-1", "--set", "operation_delay=0", "--set", "throttle=null"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            eventually(ready.exists, patience=60)
            line = json.loads(ready.read_text())
            assert process.stdout
            assert json.loads(process.stdout.readline()) == line
            client = boto3.client(
                "servicediscovery",
                endpoint_url=line["endpoint_url"],
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="x",
                config=ONCE,
            )
            (service,) = client.list_services()["Services"]
            assert service["Name"] == "web"
            client.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
