"""What only reads kinds, rules or configuration does not wait for the models."""

import subprocess
import sys

import pytest

HEAVY = ("spacy", "thinc", "scipy", "trafilatura", "onnxruntime", "tokenizers")


@pytest.mark.parametrize("module", ["pipeline.alert.rules", "pipeline.detect.kinds", "pipeline.operate.check"])
def test_a_module_that_reads_data_loads_no_model(module):
    code = f"import sys, {module}; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_reads_articles_loads_them():
    """Or the names above are wrong."""
    code = "import sys; from pipeline.detect import load_models; from pipeline.settings import Settings; load_models(Settings())"
    code += f"; print(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"spacy", "thinc", "onnxruntime", "tokenizers"} <= set(done.stdout.split())
