"""What a Consul agent needs on disk: its program, its configuration, its certificates."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"

CA_FILE = "consul-agent-ca.pem"
SERVER_CERT, SERVER_KEY = "dc1-server-consul-0.pem", "dc1-server-consul-0-key.pem"
CLIENT_CERT, CLIENT_KEY = "dc1-client-consul-0.pem", "dc1-client-consul-0-key.pem"


def consul_binary() -> Path:
    """Return the program: the one on PATH, else the project's own, which is fetched when it is missing."""
    if on_path := shutil.which("consul"):
        return Path(on_path)
    cached = ROOT / ".cache" / "consul" / "consul"
    if not cached.exists():
        subprocess.run([ROOT / "tools" / "consul.sh"], check=True, timeout=300, stdout=subprocess.DEVNULL)
    return cached


def consul_version(binary: Path) -> tuple[int, int]:
    """Return the program's version, such as (1, 8)."""
    answer = subprocess.run([binary, "version"], check=True, capture_output=True, text=True, timeout=30)
    major, minor = answer.stdout.split()[1].removeprefix("v").split(".")[:2]
    return int(major), int(minor)


def write_config(folder: Path, base: Mapping[str, object], more: str | Mapping[str, object] | None) -> None:
    """Write the configuration to *folder*: Consul reads the files by name, so that *more* wins over *base*.

    A text in *more* is HCL; anything else is written as JSON.
    """
    folder.mkdir()
    (folder / "1-base.json").write_text(json.dumps(dict(base)))
    if isinstance(more, str):
        (folder / "2-more.hcl").write_text(more)
    elif more is not None:
        (folder / "2-more.json").write_text(json.dumps(dict(more)))


def server_config(version: tuple[int, int], ports: Mapping[str, int]) -> dict[str, object]:
    """Return the configuration of the only server of a datacenter, tuned to have a leader soon."""
    # -1: closed. The second port for gRPC came with 1.14, and is unknown before.
    closed = {"serf_wan": -1, "grpc": -1} | ({"grpc_tls": -1} if version >= (1, 14) else {})
    return {
        "node_name": "agent",
        "datacenter": "dc1",
        "bind_addr": HOST,
        "client_addr": HOST,
        "server": True,
        "bootstrap": True,
        "disable_update_check": True,
        "performance": {"raft_multiplier": 1},
        "ports": {**ports, **closed},
    }


def acl_config(version: tuple[int, int], token: str) -> dict[str, object]:
    """Return what turns ACLs on, default deny, with *token* (a UUID) as a management token."""
    manager = "initial_management" if version >= (1, 11) else "master"
    return {
        "acl": {
            "enabled": True,
            "default_policy": "deny",
            "down_policy": "extend-cache",
            "tokens": {manager: token, "agent": token},
        }
    }


def tls_config(binary: Path, folder: Path) -> dict[str, object]:
    """Make a CA, a server's and a client's certificate in *folder*; return what the server needs of them."""
    for words in (["ca", "create"], ["cert", "create", "-server"], ["cert", "create", "-client"]):
        subprocess.run([binary, "tls", *words], cwd=folder, check=True, capture_output=True, timeout=30)
    return {
        "ca_file": str(folder / CA_FILE),
        "cert_file": str(folder / SERVER_CERT),
        "key_file": str(folder / SERVER_KEY),
    }
