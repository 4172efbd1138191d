"""A small client of the Language Server Protocol: JSON-RPC over the standard streams of a process."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, NamedTuple

PATIENCE = 30  # seconds to wait for an answer


class Completion(NamedTuple):
    """One thing that an editor offers: what it shows, its documentation, what it inserts."""

    label: str
    documentation: str
    text: str


class Client:
    """Speaks to one language server about documents in one folder."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.folder = folder
        self.opened = 0
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers: Queue[Any] = Queue()
        self.diagnostics: Queue[Any] = Queue()
        self.listener = Thread(target=self._listen, daemon=True)
        self.listener.start()
        completion = {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}
        abilities = {"textDocument": {"completion": completion, "hover": {"contentFormat": ["markdown"]}}}
        self._ask("initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": abilities})
        self._tell("initialized", {})
        yaml = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        self._tell("workspace/didChangeConfiguration", {"settings": {"yaml": yaml}})

    def open(self, text: str) -> str:
        """Open a document; gives its address."""
        self.opened += 1
        uri = (self.folder / f"{self.opened}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def complete(self, text: str, line: int, column: int) -> list[Completion]:
        """What the editor offers at a place, counted from 0."""
        answer = self._ask("textDocument/completion", self._place(text, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer
        return [
            Completion(item["label"], _plain(item.get("documentation", "")), item.get("insertText", ""))
            for item in items
        ]

    def hover(self, text: str, line: int, column: int) -> str:
        """What the editor shows over a place."""
        answer = self._ask("textDocument/hover", self._place(text, line, column))
        return _plain(answer["contents"]) if answer else ""

    def diagnose(self, text: str) -> list[str]:
        """Messages about a document, in the order of their places."""
        uri = self.open(text)
        while (found := self.diagnostics.get(timeout=PATIENCE))["uri"] != uri:
            pass
        sort = sorted(found["diagnostics"], key=lambda item: tuple(item["range"]["start"].values()))
        return [f"{item['range']['start']['line']}: {item['message']}" for item in sort]

    def close(self) -> None:
        self.server.kill()
        self.server.communicate()
        self.listener.join(PATIENCE)

    def _place(self, text: str, line: int, column: int) -> dict[str, Any]:
        return {"textDocument": {"uri": self.open(text)}, "position": {"line": line, "character": column}}

    def _ask(self, method: str, about: dict[str, Any]) -> Any:
        self._send({"id": 1, "method": method, "params": about})
        answer = self.answers.get(timeout=PATIENCE)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _tell(self, method: str, about: dict[str, Any]) -> None:
        self._send({"method": method, "params": about})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.server.stdin.flush()

    def _listen(self) -> None:
        stream = self.server.stdout
        assert stream is not None
        while head := stream.readline():
            length = int(head.split(b":")[1]) if head.lower().startswith(b"content-length") else 0
            while length and stream.readline().strip():
                pass  # other headers
            message = json.loads(stream.read(length)) if length else {}
            if message.get("method") == "textDocument/publishDiagnostics":
                self.diagnostics.put(message["params"])
            elif "method" in message and "id" in message:  # the server asks; nothing here has a say
                self._send({"id": message["id"], "result": None})
            elif "id" in message:
                self.answers.put(message)


def _plain(content: Any) -> str:
    """The text of a message in Markdown, without its backslashes."""
    text = content["value"] if isinstance(content, dict) else content
    return str(text).replace("\\", "")
