"""In which order and company images are computed."""

from types import SimpleNamespace

import numpy as np
import pytest

from cid_mmpose.inference.finder import batches, in_order


def test_images_of_one_size_go_together_and_none_waits_longer_than_the_window():
    sides = [1, 2, 1, 1, 2, 3, 1]
    made = [[number for number, _ in batch] for batch in batches([SimpleNamespace(size=side) for side in sides], 2, 4)]
    # 0 1 2 3 wait: 0 goes with 2; 1 3 4 5: 1 with 4; then 3 5 6: 3 with 6, and 5 alone
    assert made == [[0, 2], [1, 4], [3, 6], [5]]
    answers = list(in_order(([(n, n) for n in batch] for batch in made), lambda batch: [10 * n for n in batch]))
    assert answers == [(n, 10 * n) for n in range(7)]


@pytest.mark.parametrize('window', [1, 2, 5])
def test_no_image_waits_for_more_batches_than_the_window_holds_others(window):
    done = []
    done_at_arrival = []

    def arriving():
        for side in np.random.default_rng(0).integers(0, 9, 200):
            done_at_arrival.append(len(done))
            yield SimpleNamespace(size=side)

    for batch in batches(arriving(), 2, window):
        done.append([number for number, _ in batch])
    waited = [place - done_at_arrival[number] for place, batch in enumerate(done) for number in batch]
    assert len(waited) == 200 and max(waited) == window - 1
