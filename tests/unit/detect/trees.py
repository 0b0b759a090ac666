"""Trees written by hand: one line a word, `word TAG arc head`, as spaCy would parse it. Tests of logic need no model."""

from pipeline.annotate.parse import Mention
from pipeline.detect import lexicon
from pipeline.detect.reader import Reader
from pipeline.detect.syntax import Tree
from pipeline.records import Party

WORDS = lexicon.load().modality


def tree(*sentences):
    """Sentences in (each a text of lines), their tree out."""
    words, tags, deps, heads, bounds = [], [], [], [], []
    for sentence in sentences:
        start = len(words)
        for line in sentence.strip().splitlines():
            word, tag, dep, head = line.split()
            words.append(word)
            tags.append(tag)
            deps.append(dep)
            heads.append(start + int(head))
        bounds.append((start, len(words)))
    text, offsets = "", []
    for word in words:
        text += " " if text else ""
        offsets.append(len(text))
        text += word
    return Tree(
        text=text,
        words=words,
        low=[w.lower() for w in words],
        tags=tags,
        deps=deps,
        heads=heads,
        offsets=offsets,
        sentences=bounds,
    )


PEOPLE = {
    "France": Party(text="France", name="France", country="FRA", sector="GOV"),
    "Mali": Party(text="Mali", name="Mali", country="MLI", sector="GOV"),
    "Moscow": Party(text="Moscow", name="Russia", country="RUS", sector="GOV"),
    "Xi Jinping": Party(text="Xi Jinping", name="Xi Jinping", country="CHN", sector="GOV"),
    "Putin": Party(text="Putin", name="Vladimir Putin", country="RUS", sector="GOV"),
    "Xi": Party(text="Xi", name="Xi Jinping", country="CHN", sector="GOV"),
    "US": Party(text="US", name="United States", country="USA", sector="GOV"),
    "Russian": Party(text="Russian", name="Russia", country="RUS", sector="GOV"),
}


class Names:
    """A resolver that knows the few names of these tests."""

    def party(self, text, *, on=None):
        return PEOPLE.get(text, Party(text=text))


def reader(made, labels=None):
    """A tree in, its reader out; every known name in it is a mention."""
    labels = labels or {}
    mentions = []
    for start in range(len(made.words)):
        for end in (start + 2, start + 1):
            text = " ".join(made.words[start:end])
            if text in PEOPLE and end <= len(made.words) and not any(m.start <= start < m.end for m in mentions):
                mentions.append(Mention(start, end, text, labels.get(text, "GPE"), PEOPLE[text]))
    return Reader(tree=made, names=Names(), mentions=mentions)
