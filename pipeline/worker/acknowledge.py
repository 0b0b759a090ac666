"""Acknowledge the messages of each partition in the order in which they arrived, although they finish in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any


class OrderedAcks:
    """Holds the messages under way of each partition.

    A committed offset covers everything before it, so a message is acknowledged only after all earlier ones have finished.
    """

    def __init__(self) -> None:
        self._waiting: dict[Any, deque[list[Any]]] = {}
        self._slots: dict[int, list[Any]] = {}

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def __contains__(self, event: Any) -> bool:
        """Whether a message is under way: it is not if its partition was revoked meanwhile."""
        return id(event) in self._slots

    def add(self, event: Any) -> None:
        """Add a message that has arrived."""
        slot = [event, False]
        self._slots[id(event)] = slot
        self._waiting.setdefault(event.message.tp, deque()).append(slot)

    def done(self, event: Any) -> None:
        """Mark a message as finished, and acknowledge all finished messages at the head of its partition."""
        slot = self._slots.pop(id(event), None)
        if slot is None:
            return  # its partition was revoked meanwhile: the new owner reads the message again
        slot[1] = True
        queue = self._waiting.get(event.message.tp, deque())
        while queue and queue[0][1]:
            queue.popleft()[0].ack()

    def forget(self, partitions: Iterable[Any]) -> None:
        """Drop the messages of revoked partitions: this worker never acknowledges them."""
        for partition in partitions:
            for slot in self._waiting.pop(partition, ()):
                self._slots.pop(id(slot[0]), None)
