"""Reports errors, messages, a trace, sessions, a check-in and metrics with Sentry's SDK; prints what it was about to send.

Usage: send_sentry.py URL [KEY]
"""

import json
import sys

import sentry_sdk
from sentry_sdk.crons import capture_checkin
from sentry_sdk.sessions import track_session

sent = []
traces = []


def keep(event, _hint):
    if event.get("type") == "check_in":
        return event
    said = {name: event.get(name) for name in ("event_id", "timestamp", "level")} | event["contexts"]["trace"]
    sent.append(said | {"breadcrumbs": len(event["breadcrumbs"]["values"])})
    return event


def keep_trace(event, _hint):
    steps = [event | event["contexts"]["trace"], *event["spans"]]
    names = ("trace_id", "span_id", "start_timestamp", "timestamp")
    traces.append([{name: step[name] for name in names} for step in steps])
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
        before_send_transaction=keep_trace,
        enable_logs=True,
        traces_sample_rate=1.0,
    )
    sentry_sdk.set_user({"id": "taro", "email": "taro@shop.example", "ip_address": "192.0.2.7"})
    sentry_sdk.set_tag("color", "red")
    sentry_sdk.set_context("cart", {"owner": "taro"})
    for number in range(500):
        sentry_sdk.add_breadcrumb(category="crumb", message=f"crumb {number} of taro", data={"password": "hunter2"})
    for _ in range(2):
        try:
            fail({})
        except KeyError as error:
            sentry_sdk.capture_exception(error)
    sentry_sdk.capture_message("disk nearly full – 決済", level="warning")
    sentry_sdk.capture_message("disk full", level="fatal")
    sentry_sdk.logger.warning("paid {amount} yen", amount=1200)
    with sentry_sdk.start_transaction(op="http.server", name="POST /cart/{id}", source="route") as request:
        request.set_data("http.request.method", "POST")
        request.set_data("url.path", "/cart/42")
        request.set_http_status(500)
        with request.start_child(op="db", name="SELECT price FROM prices") as query:
            query.set_data("db.system", "mysql")
    scope = sentry_sdk.get_isolation_scope()
    for mode in ("application", "request"):
        with track_session(scope, session_mode=mode):
            pass
    capture_checkin("nightly", "0c0ffee00c0ffee00c0ffee00c0ffee0", "ok", 12.5)
    sentry_sdk.metrics.count("orders", 3, attributes={"color": "red"})
    sentry_sdk.metrics.gauge("load", 0.75, unit="ratio")
    sentry_sdk.get_client().close(timeout=20)
    print(json.dumps({"events": sent, "traces": traces}))


main(*sys.argv[1:])
