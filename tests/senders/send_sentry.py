"""Reports errors and messages with Sentry's SDK; prints what the SDK was about to send.

Usage: send_sentry.py URL [KEY]
"""

import json
import sys

import sentry_sdk

sent = []


def keep(event, _hint):
    sent.append({name: event.get(name) for name in ("event_id", "timestamp", "level")} | event["contexts"]["trace"])
    return event


def fail(prices):
    return prices["sku"]


def main(url, key="public"):
    scheme, address = url.split("://")
    sentry_sdk.init(
        f"{scheme}://{key}@{address}/42",
        release="shop@7.1",
        environment="staging",
        server_name="web-1",
        before_send=keep,
        enable_logs=True,
        traces_sample_rate=0,
    )
    sentry_sdk.set_user({"id": "taro", "email": "taro@shop.example", "ip_address": "192.0.2.7"})
    sentry_sdk.set_tag("color", "red")
    for _ in range(2):
        try:
            fail({})
        except KeyError as error:
            sentry_sdk.capture_exception(error)
    sentry_sdk.capture_message("disk nearly full – 決済", level="warning")
    sentry_sdk.capture_message("disk full", level="fatal")
    sentry_sdk.logger.warning("paid {amount} yen", amount=1200)
    sentry_sdk.get_client().close(timeout=20)
    print(json.dumps(sent))


main(*sys.argv[1:])
