"""Sends events with fluent-logger over the forward protocol; prints how many it says it sent.

Usage: send_fluent.py HOST PORT
"""

import json
import sys

from fluent import sender

RECORD = {
    "message": "checkout – 決済 \"ok\"\n\tdone",
    "level": "warn",
    "hostname": "web-1",
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "large": 9007199254740993,
    "ratio": 0.25,
    "ok": True,
    "none": None,
    "tags": ["a", {"b": 1}],
}

host, port = sys.argv[1], int(sys.argv[2])
sent = []
for nanoseconds, time in ((False, 1_770_091_506), (True, 1_770_091_507.25)):
    logger = sender.FluentSender("app", host=host, port=port, nanosecond_precision=nanoseconds)
    sent.append(logger.emit_with_time("whole", time, RECORD))
    logger.close()
logger = sender.FluentSender("app", host=host, port=port)
sent += [logger.emit("web", {"message": f"order {number}", "level": "error", "items": number}) for number in range(20)]
logger.close()
print(json.dumps({"sent": sum(sent)}))
