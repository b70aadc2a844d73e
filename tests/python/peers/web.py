"""JSON over one HTTP connection that stays open: what an administrator's script beside the peers would use."""

import base64
import http.client
import json
import time
from email.message import Message
from typing import Any

TIMEOUT_SECONDS = 300
# Servers close what nobody has used for some seconds.
IDLE_SECONDS = 2


class Web:
    """Requests to a server on this machine."""

    def __init__(self, port: int, login: tuple[str, str] | None = None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
        self.answered, self.used = Message(), time.monotonic()
        self.headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if login:
            self.headers["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()

    def ask(self, method: str, path: str, value: Any = None, **headers: str) -> Any:
        """The answer's body; anything but a success is an error."""
        body = None if value is None else json.dumps(value, ensure_ascii=False).encode()
        if time.monotonic() - self.used > IDLE_SECONDS:
            self.connection.close()
        self.connection.request(method, path, body, self.headers | headers)
        answer = self.connection.getresponse()
        self.answered = answer.headers
        data, self.used = answer.read(), time.monotonic()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:500]!r}")
        return json.loads(data) if data else None

    def close(self) -> None:
        self.connection.close()


def in_lots(items: list[Any], size: int) -> list[list[Any]]:
    """Cut into lists of at most `size`."""
    return [items[at:at + size] for at in range(0, len(items), size)]
