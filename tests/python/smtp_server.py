"""A mail server that prints its port, and then a line of JSON for each mail. Ends when its standard input does."""

import email
import email.policy
import json
import sys

from aiosmtpd.controller import Controller


class Printer:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "to": envelope.rcpt_tos,
            "subject": mail["subject"],
            "id": mail["message-id"],
            "text": mail.get_body(("plain",)).get_content(),
        }), flush=True)  # fmt: skip
        return "250 taken"


class AnyPort(Controller):
    """Asks nobody to connect, as the base class does to see whether it runs: the port is only known here."""

    def _trigger_server(self):
        pass


controller = AnyPort(Printer(), hostname="127.0.0.1", port=0)
controller.start()
print(controller.server.sockets[0].getsockname()[1], flush=True)
sys.stdin.read()
controller.stop()
