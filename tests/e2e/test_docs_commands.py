"""The commands of the documents that need no service, run as they are written. Those that need one: test_run.py."""

import pytest

from tests.documents import blocks, run

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("block", blocks("run: alone"), ids=str)
def test_a_block_of_commands_runs(block, tmp_path):
    run(block, tmp_path)
