"""The stages as panels: scales that padding and a few cells do not set, rings where roots are."""

import numpy as np

from cid_mmpose.visualization.crops import Region, crop_of
from cid_mmpose.visualization.explain import Explanation
from cid_mmpose.visualization.maps import Grid
from cid_mmpose.visualization.panels import (
    Limits,
    center_panel,
    features_panel,
    heatmap_panels,
    limits_of,
    mask_panel,
    similarity_panel,
    weights_panel,
)

# 32 x 32 cells of two pixels each over an image of 64 x 40 px; six rows above and below are padding
GRID = Grid(np.array([-0.5, -12.5]), np.array([2.0, 2.0]))
SIZE = (64, 40)
IMAGE = np.full((40, 64, 3), 120, np.uint8)


def maps_of(people: int = 2, masks: bool = True) -> Explanation:
    """Maps that are zero."""
    with_masks = people if masks else 0
    return Explanation(
        image=np.zeros((128, 128, 3), np.uint8),
        crowd=np.zeros((4, 32, 32)),
        roots=np.array([[8, 16], [24, 12]])[:people],
        scores=np.ones(people),
        similarity=np.zeros((with_masks, 32, 32)),
        masks=np.zeros((with_masks, 32, 32)),
        channel_weights=np.zeros((people, 5)),
        features=np.zeros((people, 32, 32)),
        keypoints=np.zeros((people, 3, 32, 32)),
    )


def whole(room=(640, 400)):
    return crop_of(IMAGE, GRID, Region(0, 0, *SIZE), room)


def test_scales_end_at_the_usual_values_inside_the_image():
    maps = maps_of()
    maps.similarity[1, 6:26] = -7.0
    maps.similarity[0, :6] = 900.0  # padding
    maps.similarity[0, 10, 10] = 500.0  # one of 1280 cells
    maps.features[:] = 3.0
    maps.channel_weights[1, 2] = -11.0
    assert limits_of(maps, GRID, SIZE) == Limits(similarity=7.0, weights=11.0, features=3.0)
    assert limits_of(maps_of(0), GRID, SIZE) == Limits(1.0, 1.0, 1.0)


def test_the_center_map_has_a_ring_around_each_root_and_smaller_ones_for_nobody():
    crop = whole()
    drawn = center_panel(maps_of(1), np.array([[24, 20]]), crop).picture
    is_ring = (drawn > 200).all(-1)
    # ten pixels of the crop a pixel: the middle of cell (8, 16) is (16.5, 20.5) in the image, (169.5, 209.5) here
    x, y = crop.grid.middles(np.array([8, 16])).round().astype(int)
    assert (x, y) == (170, 210)
    assert is_ring[y, x + 6] and is_ring[y, x - 6] and is_ring[y + 6, x]
    assert not is_ring[y - 3 : y + 4, x - 3 : x + 4].any()
    x, y = crop.grid.middles(np.array([24, 20])).round().astype(int)
    assert is_ring[y, x + 3] and is_ring[y - 3, x] and not is_ring[y, x] and not is_ring[y, x + 5 : x + 20].any()


def test_a_model_without_masks_has_no_panels_of_them():
    maps, limits = maps_of(masks=False), Limits(1.0, 1.0, 1.0)
    assert mask_panel(maps, 0, whole()) is None and similarity_panel(maps, 0, whole(), limits) is None
    assert weights_panel(maps, 1, (100, 80), limits).values.shape == (5,)
    assert weights_panel(maps._replace(channel_weights=np.zeros((0, 5))), 1, (100, 80), limits) is None


def test_colours_are_those_of_the_person_that_is_asked_for():
    maps = maps_of()
    maps.masks[1] = 1
    maps.features[1] = 8
    maps.similarity[1] = -4
    limits = Limits(similarity=4.0, weights=1.0, features=8.0)
    crop = whole()
    for panel in (
        lambda person: mask_panel(maps, person, crop),
        lambda person: features_panel(maps, person, crop, limits),
        lambda person: similarity_panel(maps, person, crop, limits),
    ):
        first, second = panel(0), panel(1)
        lowest, highest = first.scale.paint(np.array([0.0, {4.0: -4.0}.get(first.scale.high, first.scale.high)]))
        for drawn, colour in ((first, lowest), (second, highest)):
            np.testing.assert_allclose(drawn.picture, np.broadcast_to(120 * 0.5 + colour * 0.5, (400, 640, 3)), atol=1)


def test_each_keypoint_has_a_panel_with_its_peak_and_a_ring_where_it_was_read():
    maps = maps_of()
    maps.keypoints[1, 2, 16, 8] = 0.75
    place = GRID.middles(np.array([8, 16]))
    panels = heatmap_panels(maps, 1, whole(), np.tile(place, (3, 1)), ['a', 'b', 'c'])
    assert [panel.title for panel in panels] == ['a 0.00', 'b 0.00', 'c 0.75']
    drawn = panels[2].picture.astype(int)
    assert drawn[210, 170, 2] > drawn[210, 170, 0] + 50  # red at the peak
    assert (panels[0].picture[210, 180] > 200).all()  # the ring
