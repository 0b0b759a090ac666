"""Distil word vectors for the second opinion from a small sentence encoder: its ONNX file in, vectors.npz out.

Needed only when the vectors themselves are to be made anew; retraining the model uses the file that ships. In an environment
with onnxruntime, tokenizers and numpy:

    python train/distil.py ENCODER.onnx TOKENIZER.json pipeline/detect/opinion/vectors.npz

Every word of the encoder's vocabulary is read alone, its vectors are averaged, and the principal components are kept.
docs/model-card.md names the encoder and its licence.
"""

import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

COMPONENTS = 64
WORD = re.compile(r"[a-z][a-z'-]+")
BATCH = 256


def encode(encoder: Path, tokenizer: Path) -> tuple[list[str], np.ndarray]:
    """The encoder in, its words and a row of numbers for each out."""
    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # so that sums are made in one order
    session = onnxruntime.InferenceSession(str(encoder), options)
    words = sorted(word for word in reader.get_vocab() if WORD.fullmatch(word))
    rows = np.zeros((len(words), 384), dtype=np.float64)
    for start in range(0, len(words), BATCH):
        ids = [reader.encode(word).ids for word in words[start : start + BATCH]]
        for length in {len(i) for i in ids}:
            here = [n for n, i in enumerate(ids) if len(i) == length]
            x = np.array([ids[n] for n in here], dtype=np.int64)
            given = {"input_ids": x, "attention_mask": np.ones_like(x), "token_type_ids": np.zeros_like(x)}
            rows[[start + n for n in here]] = session.run(None, given)[0].mean(axis=1)
    return words, rows


def main(encoder: Path, tokenizer: Path, out: Path) -> None:
    """Write the vectors: int8, of length one after loading."""
    words, rows = encode(encoder, tokenizer)
    rows -= rows.mean(axis=0)
    _, _, axes = np.linalg.svd(rows, full_matrices=False)
    axes *= np.sign(axes[:, :1])  # a component's sign is arbitrary: fix it
    short = rows @ axes[:COMPONENTS].T
    short *= 127 / np.abs(short).max(axis=1, keepdims=True)
    table = np.round(short).astype(np.int8)
    np.savez_compressed(out, words=np.frombuffer("\n".join(words).encode(), dtype=np.uint8), table=table)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
