"""The reader as a torch module: a BERT encoder and its heads. Trained here, run by onnxruntime (export.py)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from pipeline.detect.kinds import KINDS, TYPES

TYPE_OF_KIND = torch.tensor([TYPES.index(spec) for spec in KINDS.values()])
ROLE_NAMES = ("actors", "recipients", "places", "date", "money", "said_by")
ROLE_SIZE = 32
SAME_SIZE = 64
HEADS = 12
"""Of attention, in each layer."""
FARTHEST = 48
"""Pieces; a role's distance from its trigger is told apart up to here."""


class Layer(nn.Module):
    """One layer of BERT: self-attention and a feed-forward part, each with its residual and norm."""

    def __init__(self, size: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = nn.Linear(size, size), nn.Linear(size, size), nn.Linear(size, size)
        self.output = nn.Linear(size, size)
        self.norm1 = nn.LayerNorm(size, eps=1e-12)
        self.inner, self.outer = nn.Linear(size, inner), nn.Linear(inner, size)
        self.norm2 = nn.LayerNorm(size, eps=1e-12)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None, drop: float) -> torch.Tensor:
        batch, length, size = x.shape
        split = lambda t: t.view(batch, length, self.heads, size // self.heads).transpose(1, 2)  # noqa: E731
        q, k, v = split(self.query(x)), split(self.key(x)), split(self.value(x))
        scores = q @ k.transpose(-1, -2) / math.sqrt(size // self.heads)
        scores = scores if mask is None else scores + mask
        share = functional.dropout(scores.softmax(-1), drop, self.training)
        mixed = (share @ v).transpose(1, 2).reshape(batch, length, size)
        x = self.norm1(x + functional.dropout(self.output(mixed), drop, self.training))
        return self.norm2(x + functional.dropout(self.outer(functional.gelu(self.inner(x))), drop, self.training))


class Encoder(nn.Module):
    """BERT without its pooler."""

    def __init__(self, *, vocabulary: int, size: int, layers: int, heads: int, inner: int, positions: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, size)
        self.positions = nn.Embedding(positions, size)
        self.kinds = nn.Embedding(2, size)
        self.norm = nn.LayerNorm(size, eps=1e-12)
        self.layers = nn.ModuleList(Layer(size, heads, inner) for _ in range(layers))
        self.frozen = 0

    def freeze(self, layers: int) -> None:
        """The vectors of words and places and so many of the lowest layers do not learn."""
        self.frozen = layers
        still = [self.words, self.positions, self.kinds, self.norm, *self.layers[:layers]]
        for parameter in (p for module in still for p in module.parameters()):
            parameter.requires_grad_(requires_grad=False)

    def below(self, ids: torch.Tensor, kinds: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Pieces in, what the frozen layers make of them out: without dropout."""
        place = torch.arange(ids.shape[1], device=ids.device)[None, :]
        x = self.norm(self.words(ids) + self.positions(place) + self.kinds(kinds))
        return self._through(self.layers[: self.frozen], x, mask, 0.0)

    def forward(
        self,
        ids: torch.Tensor,
        kinds: torch.Tensor,
        mask: torch.Tensor | None,
        drop: float = 0.0,
        below: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Pieces in, their vectors out; without a mask every piece is looked at, as in a window without padding.

        `below` is what the frozen layers have made of the same pieces, if it is known.
        """
        x = self.below(ids, kinds, mask) if below is None else below
        return self._through(self.layers[self.frozen :], functional.dropout(x, drop, self.training), mask, drop)

    def _through(
        self, layers: Iterable[nn.Module], x: torch.Tensor, mask: torch.Tensor | None, drop: float
    ) -> torch.Tensor:
        wall = None if mask is None else (1.0 - mask[:, None, None, :].to(x.dtype)) * -1e4
        for layer in layers:
            x = layer(x, wall, drop)
        return x


def from_bert(weights: dict[str, torch.Tensor], most: int) -> Encoder:
    """The tensors of a published BERT in, an Encoder with those of its first `most` layers out."""
    weights = {name.removeprefix("bert."): tensor.float() for name, tensor in weights.items()}
    layers = min(most, 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer.")))
    vocabulary, size = weights["embeddings.word_embeddings.weight"].shape
    made = Encoder(
        vocabulary=vocabulary, size=size, layers=layers, heads=HEADS,
        inner=weights["encoder.layer.0.intermediate.dense.weight"].shape[0],
        positions=weights["embeddings.position_embeddings.weight"].shape[0],
    )  # fmt: skip
    names = {
        "words.weight": "embeddings.word_embeddings.weight", "positions.weight": "embeddings.position_embeddings.weight",
        "kinds.weight": "embeddings.token_type_embeddings.weight",
        "norm.weight": "embeddings.LayerNorm.weight", "norm.bias": "embeddings.LayerNorm.bias",
    }  # fmt: skip
    parts = {
        "query": "attention.self.query", "key": "attention.self.key", "value": "attention.self.value",
        "output": "attention.output.dense", "norm1": "attention.output.LayerNorm", "inner": "intermediate.dense",
        "outer": "output.dense", "norm2": "output.LayerNorm",
    }  # fmt: skip
    for number in range(layers):
        for ours, theirs in parts.items():
            for end in ("weight", "bias"):
                names[f"layers.{number}.{ours}.{end}"] = f"encoder.layer.{number}.{theirs}.{end}"
    made.load_state_dict({ours: weights[theirs] for ours, theirs in names.items()})
    return made


def shaped(weights: dict[str, torch.Tensor]) -> Reader:
    """The weights of a reader in, the reader out: how large it is, they say themselves."""
    vocabulary, size = weights["encoder.words.weight"].shape
    inner = weights["encoder.layers.0.inner.weight"].shape[0]
    made = Reader(
        Encoder(
            vocabulary=vocabulary, size=size, layers=sum(name.endswith(".norm1.bias") for name in weights), heads=HEADS,
            inner=inner, positions=weights["encoder.positions.weight"].shape[0],
        )
    )  # fmt: skip
    made.load_state_dict(weights)
    return made


class Reader(nn.Module):
    """The encoder and its heads. Every output is per piece but `loud`, which is per window."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        size = encoder.words.weight.shape[1]
        self.root, self.kind = nn.Linear(size, 1 + len(TYPES)), nn.Linear(size, len(KINDS))
        self.trigger = nn.Linear(size, 128)
        self.modality, self.main = nn.Linear(128, 5), nn.Linear(128, 1)
        self.role_query = nn.Linear(size, len(ROLE_NAMES) * ROLE_SIZE)
        self.role_key = nn.Linear(size, len(ROLE_NAMES) * ROLE_SIZE)
        self.role_bias = nn.Linear(size, len(ROLE_NAMES))
        self.distance = nn.Parameter(torch.zeros(len(ROLE_NAMES), 2 * FARTHEST + 1))
        self.same = nn.Linear(size, SAME_SIZE)
        self.same_weight = nn.Parameter(torch.full((SAME_SIZE,), 1 / SAME_SIZE**0.5))
        self.same_bias = nn.Parameter(torch.zeros(1))
        self.loud = nn.Sequential(nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, 1))
        self.register_buffer("type_of_kind", TYPE_OF_KIND.clone(), persistent=False)

    def forward(
        self,
        ids: torch.Tensor,
        kinds: torch.Tensor,
        mask: torch.Tensor | None,
        drop: float = 0.0,
        below: torch.Tensor | None = None,
    ) -> dict[str, Any]:
        h = self.encoder(ids, kinds, mask, drop, below)
        h = functional.dropout(h, drop, self.training)
        types = self.root(h)
        told = torch.cat([types[..., :1], types[..., 1:][..., self.type_of_kind] + self.kind(h)], -1)
        t = functional.gelu(self.trigger(h))
        return {
            "kind": told, "modality": self.modality(t), "main": self.main(t)[..., 0],
            "query": self.role_query(h), "key": self.role_key(h), "bias": self.role_bias(h),
            "same": self.same(h), "hidden": h, "loud": self.loud(h[:, 0])[:, 0],
        }  # fmt: skip

    def roles(self, out: dict[str, Any], row: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        """Windows and pieces of triggers in, scores (trigger, role, piece) out."""
        length, count = out["key"].shape[1], len(ROLE_NAMES)
        q = out["query"][row, at].view(-1, count, ROLE_SIZE)
        k = out["key"][row].view(-1, length, count, ROLE_SIZE)
        scores = torch.einsum("trd,tlrd->trl", q, k) / math.sqrt(ROLE_SIZE) + out["bias"][row].transpose(1, 2)
        far = (torch.arange(length)[None, :] - at[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        return scores + self.distance[:, far].transpose(0, 1)
