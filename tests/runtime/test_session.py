"""How many threads a runtime takes."""

import pytest

from cid_mmpose.runtime.session import threads_asked


@pytest.mark.parametrize(
    'text, threads', [('1', 1), ('16', 16), ('', None), ('0', None), ('4,2', None), ('many', None)]
)
def test_the_variable_that_torch_takes_sets_the_threads(text, threads, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', text)
    assert threads_asked() == threads


def test_without_it_the_runtime_chooses(monkeypatch):
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert threads_asked() is None
