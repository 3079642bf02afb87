"""Sends events with fluent-logger over the forward protocol; prints how many it says it sent.

Usage: send_fluent.py HOST PORT
"""

import json
import sys

from fluent import sender

logger = sender.FluentSender("app", host=sys.argv[1], port=int(sys.argv[2]))
sent = [logger.emit("web", {"message": f"order {number}", "level": "error", "items": number}) for number in range(20)]
logger.close()
print(json.dumps({"sent": sum(sent)}))
