"""An OpenAI endpoint on this machine, behind which a program answers. Runs in the interpreters of the peers, too."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        texts = [_text(message["content"]) for message in asked["messages"] if message["role"] == "user"]
        message = {"role": "assistant", "content": self.server.reply(texts)}
        body = json.dumps({
            "id": "x", "object": "chat.completion", "created": 0, "model": "m",
            "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }).encode()  # fmt: skip
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def _text(content):
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def serve(reply):
    """The URL of a model that answers with ``reply(texts of the user)``, for as long as this process lives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.reply = reply
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"


def bisect(texts):
    """Plays GuessTheNumber."""
    low, high = 1, int(texts[0].partition("from 1 to ")[2].partition(".")[0])
    for said in texts[1:]:
        bound = int(said.rstrip(".").split()[-1])
        low, high = (bound + 1, high) if "higher" in said else (low, bound - 1)
    return f"<answer>{(low + high) // 2}</answer>"
