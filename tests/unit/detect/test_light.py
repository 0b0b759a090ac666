"""Who only wants the lexicon or the rules of alerts does not wait for the language model."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["pipeline.alert.rules", "pipeline.detect.lexicon", "pipeline.operate.check"])
def test_a_module_that_reads_data_loads_no_model(module):
    code = f"import sys, {module}; print([m for m in ('spacy', 'thinc', 'scipy', 'trafilatura') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
