"""Helpers of the tests of channels: a connection that answers as scripted."""

from pipeline.alert.rules import Channel
from pipeline.notify.channels import sender
from pipeline.notify.http_post import HttpAnswer
from pipeline.settings import Settings
from tests.make import NOW, make_alert

HOOK = "https://hooks.example/secret-path-9"


class Wire:
    """Answers as told and keeps what was sent."""

    def __init__(self, *answers):
        self.answers = list(answers) or [HttpAnswer(200)]
        self.sent = []

    def __call__(self, url, body, headers, timeout_seconds):
        self.sent.append((url, body, dict(headers), timeout_seconds))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def make_channel(**changes):
    return Channel(**{"name": "hook", "type": "webhook", "url": HOOK} | changes)


def send(channel, wire, alert=None, settings=None, now=NOW):
    sender(channel, settings or Settings(), wire)(alert or make_alert(), now)
