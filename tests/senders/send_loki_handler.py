"""Logs through loki-logger-handler, as JSON; prints what Python's logging made of each record.

Usage: send_loki_handler.py URL [TOKEN]
"""

import json
import logging
import sys
import threading

from loki_logger_handler.loki_logger_handler import LokiLoggerHandler

said = []
pushed = threading.Event()


class Said(logging.Handler):
    """Keeps what nobody else knows of a record."""

    def emit(self, record):
        ids = {"process": record.process, "thread": record.thread, "timestamp": record.created}
        said.append(ids | {"ns": int(record.created * 1e9)})


def main(url, token=None):
    handler = LokiLoggerHandler(
        f"{url}/loki/api/v1/push",
        labels={"app": "shop", "host": "web-1", "team": "web"},
        label_keys=["level"],
        auth=("shop", token) if token else None,
        enable_structured_loki_metadata=True,
        loki_metadata={"region": "tokyo"},
        loki_metadata_keys=["trace_id"],
        enable_self_errors=True,
    )
    push = handler.request.send

    def push_and_say(data):
        push(data)
        pushed.set()

    handler.request.send = push_and_say
    logger = logging.getLogger("shop")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.addHandler(Said())
    logger.info("checkout – 決済 \"ok\"\n\tdone", extra={"trace_id": "0af7651916cd43dd8448eb211c80319c"})
    logger.info("paid", extra={"amount": 1200, "loki_metadata": {"user": 7}})
    logger.warning("disk nearly full")
    handler.flush_event.set()
    if not pushed.wait(20):
        sys.exit("nothing was pushed")
    print(json.dumps(said))


main(*sys.argv[1:])
