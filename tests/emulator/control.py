"""The emulator's own paths, below ``/_emulator``: faults, calls, seed, settings."""

import json
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import parse_qs

from .calls import Calls
from .errors import ApiError, invalid
from .faults import Faults
from .httpd import Request
from .protocol import Reply
from .seed import Seed
from .state import State

PREFIX = "/_emulator"


class Control:
    """Answers requests below `PREFIX`."""

    def __init__(self, state: State, calls: Calls, faults: Faults, seed: Seed) -> None:
        self._state = state
        self._calls = calls
        self._faults = faults
        self._seed = seed

    def handle(self, request: Request) -> Reply:
        """Return the reply as JSON; a mistake in the request is a 400 with its reason."""
        query = {key: values[-1] for key, values in parse_qs(request.query).items()}
        try:
            body = json.loads(request.body or b"{}")
            answer = self._answer(request.method, request.path.removeprefix(PREFIX), query, body)
        except ApiError as error:
            return Reply(error.status, json.dumps(error.body()).encode(), "application/json")
        except (ValueError, TypeError, KeyError) as error:
            return Reply(400, json.dumps({"error": repr(error)}).encode(), "application/json")
        return Reply(200, json.dumps(answer).encode(), "application/json")

    def _answer(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Any:
        match method, path:
            case "GET", "/calls":
                return self._calls.report(
                    entries="entries" in query,
                    operation=query.get("operation", ""),
                    since=float(query.get("since", 0)),
                )
            case "DELETE", "/calls":
                self._calls.reset()
                return {}
            case "GET", "/faults":
                return [fault.wire() for fault in self._faults.all()]
            case "POST", "/faults":
                return self._faults.add(body.pop("kind", ""), **body).wire()
            case "DELETE", "/faults":
                self._faults.remove(int(query["id"]) if "id" in query else None)
                return {}
            case "POST", "/seed":
                seed = self._seed.at(body.pop("account", ""), body.pop("region", ""))
                return seed.load(body)
            case "GET", "/settings":
                return asdict(self._state.settings)
            case "POST", "/settings":
                with self._state.lock:
                    self._state.settings = replace(self._state.settings, **body)
                return asdict(self._state.settings)
            case _:
                raise invalid(f"No such path: {method} {path}")
