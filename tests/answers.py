"""What a process of ours answers over HTTP, for tests that run real processes."""

import json
import urllib.error
import urllib.request


def ask(port, path, seconds=10):
    """A port of this machine and a path in, the status and the JSON of the answer out; 0 and nothing while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=seconds) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError:
        return 0, {}
