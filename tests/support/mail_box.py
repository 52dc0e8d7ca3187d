"""A mail server on loopback, with the mails that it got."""

from __future__ import annotations

import email
import email.policy
import socket
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP


class MailBox:
    """A real SMTP server on loopback that keeps what it receives."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses: set[str] = set()
        box = self

        class Handler:
            async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, to: str, options: Any) -> str:  # noqa: N802
                if to in box.refuses:
                    return "550 no such person"
                envelope.rcpt_tos.append(to)
                return "250 OK"

            async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
                mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
                assert isinstance(mail, EmailMessage)
                box.mails.append(mail)
                return "250 OK"

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def make_address(self, *to: str) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=crawler@example.kz&to={','.join(to)}&mode=insecure"
