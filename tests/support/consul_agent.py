"""A real Consul agent for tests and the demo: one server of one datacenter, on free ports of 127.0.0.1."""

import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import urllib3

from tests.support import consul_files as files
from tests.support.consul_api import ConsulApi, ConsulCallError
from tests.support.ports import free_ports
from tests.support.wait import eventually

__all__ = ["ConsulAgent", "ConsulApi", "ConsulCallError"]


class ConsulAgent(ConsulApi):
    """A running agent; leaving the `with` block kills it and removes its files.

    Args:
        acl: ACLs on, default deny. *token* is then a management token, used by all methods here.
        tls: HTTPS beside HTTP, at *https_url*, with a certificate for 127.0.0.1 and localhost from a CA of
            its own: *ca_file*. *client_cert* and *client_key* are a client's pair from the same CA.
        persist: state outlives `kill` and `restart`. Otherwise it is kept in memory only (and starts faster).
        config: more of Consul's configuration; a text is HCL, anything else is written as JSON. Wins.
        log_level: of the agent's log, which `log()` returns.
    """

    def __init__(
        self,
        *,
        acl: bool = False,
        tls: bool = False,
        persist: bool = False,
        config: str | Mapping[str, object] | None = None,
        log_level: str = "warn",
    ) -> None:
        http, dns, https, server, serf = free_ports(5)
        super().__init__((files.HOST, http), (files.HOST, dns), str(uuid.uuid4()) if acl else "")
        self.https_addr = (files.HOST, https)
        self.https_url = f"https://{files.HOST}:{https}"
        self._binary = files.consul_binary()
        self._persist = persist
        self._process: subprocess.Popen[bytes] | None = None
        self._dir = Path(tempfile.mkdtemp(prefix="consul-"))
        self.ca_file = self._dir / files.CA_FILE
        self.client_cert = self._dir / files.CLIENT_CERT
        self.client_key = self._dir / files.CLIENT_KEY

        version = files.consul_version(self._binary)
        ports = {"http": http, "dns": dns, "server": server, "serf_lan": serf} | (
            {"https": https} if tls else {}
        )
        base = files.server_config(version, ports) | {"log_level": log_level}
        if acl:
            base |= files.acl_config(version, self.token)
        if tls:
            base |= files.tls_config(self._binary, self._dir)
        files.write_config(self._dir / "config", base, config)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the agent, and return when it has a leader, answers, and knows itself.

        Raises:
            AssertionError: it did not come up; carries the end of its log.
        """
        words = [str(self._binary), "agent", f"-config-dir={self._dir / 'config'}"]
        if self._persist:
            words.append(f"-data-dir={self._dir / 'data'}")
        else:
            words.append("-dev")
        with (self._dir / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self._dir)
        try:
            eventually(self._is_ready, 60, "the Consul agent has a leader and answers")
        except AssertionError as e:
            raise AssertionError(f"{e}; the end of its log:\n{self.log()[-3000:]}") from None

    def kill(self) -> None:
        """End the process at once, as a crash would. Does nothing when it has ended already."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait(timeout=60)
        self._process = None
        self._http.clear()

    def restart(self) -> None:
        """Kill the agent if it runs, and start it on the same ports; its state is gone unless *persist*."""
        self.kill()
        if not self._persist:
            self._registered.clear()
        self.start()

    def pause(self) -> None:
        """Stop the process in its tracks: connections stay open, and once this returns nothing is answered."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        # The signal is only on its way then; each thread stops for itself.
        threads = Path(f"/proc/{process.pid}/task")
        eventually(
            lambda: {_state(thread) for thread in threads.iterdir()} <= {"T", ""},
            message="every thread of the agent has stopped",
        )

    def resume(self) -> None:
        """Let a paused process go on."""
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Kill the agent and remove its files. May be called twice."""
        self.kill()
        shutil.rmtree(self._dir, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running().pid

    def log(self) -> str:
        """Return what the agent has logged since it was first started."""
        return (self._dir / "log").read_text(errors="replace")

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "the agent does not run"
        return self._process

    def _is_ready(self) -> bool:
        if (code := self._running().poll()) is not None:
            raise RuntimeError(
                f"the Consul agent ended with exit code {code}; its log:\n{self.log()[-3000:]}"
            )
        try:
            name = self.call("GET", "/v1/agent/self", timeout=1)["Config"]["NodeName"]
            # The agent has written itself into the catalogue: there is a leader, and writes pass.
            return bool(self.call("GET", f"/v1/catalog/node/{name}", timeout=1)["Services"])
        except (ConsulCallError, urllib3.exceptions.HTTPError, TypeError, KeyError):
            return False


def _state(thread: Path) -> str:
    """Return the one letter for what a thread does; empty where it has ended.

    Source: proc(5); the name, in brackets, may hold anything.
    """
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
