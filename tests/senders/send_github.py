"""Sends a file as GitHub sends a webhook: URL SECRET EVENT DELIVERY FILE. Prints the status of the answer."""

import hashlib
import hmac
import sys
import urllib.error
import urllib.request

url, secret, event, delivery, path = sys.argv[1:]
with open(path, "rb") as file:
    body = file.read()
signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
request = urllib.request.Request(
    f"{url}/api/v1/webhooks/github",
    data=body,
    headers={
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={signature}",
    },
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request, timeout=20) as answer:
        print(answer.status)
except urllib.error.HTTPError as error:
    print(error.code)
