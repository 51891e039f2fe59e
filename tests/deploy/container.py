"""Runs programs in the unpacked image as a container would: its user, its environment, its file system read-only."""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".cache" / "image"

_NO_BASE: Final = 69
"""How tools/image.sh leaves where the machine, rather than the Dockerfile, is what fails."""

# Everything is mounted in a namespace of its own, which ends with the process.
_MOUNTS = """\
mount --make-rprivate /
mount --bind {root} {root}
mount --bind {settings} {root}/etc/syncer
mount -t proc proc {root}/proc
mount --bind /dev {root}/dev
mount -o remount,bind,ro {root}
mount -t tmpfs -o mode=0700,uid=10001,gid=10001 tmpfs {root}/run/syncer
exec chroot --userspec={user} {root} {command}
"""


@dataclass(frozen=True, slots=True)
class Image:
    """The image, unpacked."""

    root: Path
    config: Mapping[str, Any]

    @classmethod
    def built(cls) -> Self:
        """Return the image of the sources as they are, building it where it is older.

        Skips the test, and says why, where this machine cannot make a base to build on: where it is not ours to
        be root, say.
        """
        tool = [str(ROOT / "tools" / "image.sh")]
        done = subprocess.run(tool, capture_output=True, text=True, timeout=800, check=False)
        if done.returncode == _NO_BASE:
            pytest.skip(f"no image can be built here: {done.stderr.strip()}")
        assert done.returncode == 0, done.stdout + done.stderr
        return cls(
            (WORK / "root").resolve(), json.loads((WORK / "config.json").read_text())["Docker"]["config"]
        )

    @property
    def environment(self) -> dict[str, str]:
        """What the image sets."""
        return dict(word.split("=", 1) for word in self.config["Env"])

    def start(
        self, command: list[str], settings: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        """Start *command* in the image, with the folder *settings* at /etc/syncer.

        The process is the command's own: it gets the signals that are sent to it.
        """
        env = [f"{key}={value}" for key, value in (self.environment | dict(environment or {})).items()]
        script = _MOUNTS.format(
            root=shlex.quote(str(self.root)),
            settings=shlex.quote(str(settings)),
            user=self.config["User"],
            command=shlex.join(["/usr/bin/env", "-i", *env, *command]),
        )
        words = ["unshare", "--mount", "sh", "-euc", script]
        if os.getuid() != 0:
            words = ["sudo", "-n", *words]
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(
        self, *words: str, settings: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run the image's entry point with *words* to its end."""
        return self.execute([*self.config["Entrypoint"], *words], settings, environment)

    def execute(
        self, command: list[str], settings: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run *command* in the image to its end."""
        process = self.start(command, settings, environment)
        try:
            out, err = process.communicate(timeout=90)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)
