"""Pushes lines the way Loki's clients do: JSON, plain and packed. Prints the statuses.

Usage: send_loki.py URL [TOKEN]
"""

import gzip
import json
import sys

import requests

FIRST = {
    "stream": {"app": "shop", "host": "web-1", "level": "warning", "team": "web"},
    "values": [
        ["1770091506789012345", "checkout – 決済 \"ok\"\n\tdone"],
        ["1770091507000000000", "with more", {"trace_id": "0af7651916cd43dd8448eb211c80319c", "user": "7"}],
    ],
}
SECOND = {"stream": {"job": "cron/nightly"}, "values": [["1770091508000000000", "{\"a\": 1}"], ["no time", "never"]]}


def push(url, token, streams, packed):
    body = json.dumps({"streams": streams}).encode()
    headers = {"content-type": "application/json"}
    if packed:
        body, headers["content-encoding"] = gzip.compress(body), "gzip"
    auth = ("shop", token) if token else None
    return requests.post(f"{url}/loki/api/v1/push", data=body, headers=headers, auth=auth, timeout=20).status_code


def main(url, token=None):
    print(json.dumps([push(url, token, [FIRST], False), push(url, token, [SECOND], True)]))


main(*sys.argv[1:])
