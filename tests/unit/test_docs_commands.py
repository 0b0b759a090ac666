"""Every command that the documents show: run by a test, or at least one that exists, with the reason why it is not run."""

import re
import shlex

import pytest
import typer

from pipeline import cli
from tests.documents import FILES, OWN_TESTS, ROOT, blocks, run

ENDS = {"|", ">", "<", ">>", "&&", ";", "||"}
COMMANDS = [
    (block, line)
    for block in blocks()
    if block.language == "sh"
    for line in block.text.replace("\\\n", " ").splitlines()
]


def words_of(line):
    """The commands of a line as lists of words, without comments and redirections."""
    commands, words = [], []
    for token in [*shlex.split(line, comments=True), ";"]:
        if token in ENDS:
            commands.append(words)
            words = []
        else:
            words.append(token)
    return commands


def unknown(words):
    """What a command of `dateline` has that does not exist."""
    command, *rest = typer.main.get_command(cli.app), *words
    while rest and hasattr(command, "commands"):
        if rest[0] not in command.commands:
            return [rest[0]]
        command = command.commands[rest.pop(0)]
    taken = {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}
    return [word for word in rest if re.match(r"--?[a-z]", word) and word.partition("=")[0] not in taken]


def test_every_block_of_commands_says_how_it_is_tested():
    assert [str(block) for block in blocks() if not block.how] == []
    assert {block.how for block in blocks("run")} == {"run: alone", "run: service", "run: snapshots"}
    for document, test in OWN_TESTS.items():
        assert document in (ROOT / test).read_text("utf-8")


def test_blocks_of_commands_are_marked_as_such():
    """A block without a language hides commands from the other tests."""
    for file in FILES:
        fences = re.findall(r"^```(.*)$", file.read_text("utf-8"), re.MULTILINE)
        assert len(fences) % 2 == 0, file.name
        assert not [language for language in fences[::2] if language not in {"sh", "python", "text", "toml", "json"}], (
            file.name
        )


@pytest.mark.parametrize(("block", "line"), COMMANDS, ids=lambda value: str(value)[:70])
def test_every_command_exists_with_its_options(block, line):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for words in words_of(line):
        if "dateline" in words and words[0] in {"dateline", "docker"}:
            assert unknown(words[words.index("dateline") + 1 :]) == [], f"{block}: {line}"
        if words[:1] == ["make"]:
            assert set(words[1:2]) <= targets, f"{block}: {line}"


def test_a_command_that_does_not_exist_is_found():
    assert unknown(["serch", "x"]) == ["serch"]
    assert unknown(["search", "x", "--knd", "y"]) == ["--knd"]
    assert unknown(["alerts", "mute", "x", "--for", "2h"]) == []


def test_a_block_that_fails_is_an_error(tmp_path):
    block = blocks("run: alone")[0]
    broken = type(block)("made.md", 1, "run: alone", "sh", "test -d configs/sample\nfalse | cat\n")
    with pytest.raises(AssertionError, match=r"made.md:1 ended with 1"):
        run(broken, tmp_path)
