"""Exits with 0 if the worker in this container says that it is alive: a health check without curl."""

import http.client
import os
import sys


def main() -> int:
    """Ask /healthz on the port that the environment names; say what is wrong, if anything is."""
    try:
        port = int(os.environ.get("SYNCER_HTTP__PORT", "9110"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read(2000).decode("utf-8", "replace").strip()
    except (OSError, ValueError, http.client.HTTPException) as e:
        said = f"no answer: {e}"
    else:
        if answer.status == 200:
            return 0
    sys.stdout.write(f"{said}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
