"""A server that answers as Hugging Face does, as far as fetching a file goes."""

import contextlib
import hashlib
import http.server
import threading

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextlib.contextmanager
def serving(files):
    """Serves; gives its address and the list of requests that came.

    Args:
        files: dict from OWNER/NAME/FILE to bytes.
    """
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            self._answer(body=False)

        def do_GET(self):
            self._answer(body=True)

        def _answer(self, body):
            requests.append(f"{self.command} {self.path}")
            content = files.get(self.path.lstrip("/").replace("/resolve/main/", "/"))
            if content is None:
                self.send_response(404)
                self.send_header("X-Error-Code", self._error())
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

        def _error(self):
            owner_name = "/".join(self.path.split("/")[1:3])
            known = any(name.startswith(f"{owner_name}/") for name in files)
            return "EntryNotFound" if known else "RepoNotFound"

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
