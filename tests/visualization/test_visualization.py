"""Heatmaps on images, sheets of images, and what CID sees inside."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.models import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch import nn

from cid_mmpose.models.gfd import to_scores
from cid_mmpose.visualization import caption, draw_people, explain, overlay, sheet
from tests.helpers import oracle


def test_an_overlay_is_half_image_half_colour_from_blue_to_red():
    image = np.full((8, 12, 3), 100, np.uint8)
    heatmap = np.zeros((8, 12))
    heatmap[2, 5], heatmap[4, 7] = 1, 3  # 3 lies above the top and counts as it
    drawn = overlay(image, heatmap)
    jet = cv2.applyColorMap(np.array([[0, 255]], np.uint8), cv2.COLORMAP_JET)[0].tolist()  # BGR of least and most
    assert jet == [[128, 0, 0], [0, 0, 128]]
    assert drawn[0, 0].tolist() == [114, 50, 50] and drawn[2, 5].tolist() == drawn[4, 7].tolist() == [50, 50, 114]
    assert (image == 100).all()


def test_an_overlay_grows_a_small_map_to_the_image_and_can_have_another_top():
    image = np.zeros((16, 24, 3), np.uint8)
    heatmap = np.zeros((4, 6), np.float16)
    heatmap[1, 2] = 0.2
    drawn = overlay(image, heatmap, top=0.2)
    assert drawn.shape == (16, 24, 3) and drawn.dtype == np.uint8
    red = drawn[..., 2].astype(int) - drawn[..., 0]
    ys, xs = np.nonzero(red == red.max())
    assert 4 <= ys.min() and ys.max() < 8 and 8 <= xs.min() and xs.max() < 12  # the pixels of cell (2, 1)


def test_an_overlay_of_an_empty_map_with_top_zero_is_blue():
    assert (overlay(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4)), top=0.0) == [64, 0, 0]).all()


def test_a_caption_writes_on_a_copy_near_the_top_left():
    image = np.full((60, 120, 3), 90, np.uint8)
    written = caption(image, 'two')
    assert (image == 90).all() and written.shape == image.shape
    ys, xs = np.nonzero((written != 90).any(-1))
    assert 0 < len(ys) and ys.max() < 22 and xs.max() < 60
    assert written.max() > 200 and written.min() < 50  # white on black, seen on any image


@pytest.mark.parametrize(
    'count, columns, shape',
    [
        (1, 3, (14, 16)),
        (3, 3, (14, 48)),
        (4, 3, (28, 48)),
        (5, 1, (70, 16)),
    ],
)
def test_a_sheet_has_a_place_for_each_image(count, columns, shape):
    images = [np.full((10, 12, 3), 10 * i, np.uint8) for i in range(count)]  # and a margin of 4 px
    canvas = sheet(images, columns)
    assert canvas.shape == (*shape, 3)
    for i in range(count):
        y, x = i // columns * 14, i % columns * 16
        assert (canvas[y : y + 10, x : x + 12] == 10 * i).all() and (canvas[y : y + 14, x + 12 : x + 16] == 255).all()


def test_smaller_images_keep_their_size_on_white():
    canvas = sheet([np.zeros((10, 12, 3), np.uint8), np.zeros((3, 5, 3), np.uint8)], 2)
    assert canvas.shape == (14, 32, 3)
    assert (canvas[:3, 16:21] == 0).all() and (canvas[3:, 16:] == 255).all() and (canvas[:, 21:] == 255).all()


def test_people_are_drawn_at_their_keypoints_and_doubtful_keypoints_are_left_out():
    image = np.full((80, 120, 3), 90, np.uint8)
    keypoints, scores = np.full((1, 17, 2), 60.0), np.zeros((1, 17))
    keypoints[0, 0], keypoints[0, 16], scores[0, [0, 16]] = (20, 30), (90, 70), (0.9, 0.1)  # nose, right ankle
    sample = PoseDataSample(
        pred_instances=InstanceData(
            keypoints=keypoints,
            keypoint_scores=scores,
            keypoints_visible=scores,
            bboxes=np.array([[5.0, 5, 110, 75]]),
            bbox_scores=np.ones(1),
        )
    )
    drawn = draw_people(image, sample, parse_pose_metainfo(dict(from_file='configs/_base_/datasets/coco.py')))
    assert drawn.shape == image.shape and drawn.dtype == np.uint8 and (image == 90).all()
    changed = (drawn != 90).any(-1)
    assert changed[30, 20] and changed[40, 5] and not changed[70, 90] and not changed[50:70, 50:70].any()
    # MMPose's colour of the nose is RGB (51, 153, 255); the image is BGR
    assert drawn[30, 20, 0] > drawn[30, 20, 1] > drawn[30, 20, 2]


class Estimator(nn.Module):
    """The least that a pose estimator has: normalisation, features of a quarter of the size, a head."""

    def __init__(self, head):
        super().__init__()
        self.data_preprocessor = PoseDataPreprocessor(mean=[100.0] * 3, std=[50.0] * 3, bgr_to_rgb=True)
        self.backbone, self.head = nn.Conv2d(3, 6, 4, stride=4), head

    def extract_feat(self, inputs):
        return [self.backbone(inputs)]


def model(recalibration='fused', **test):
    head = oracle.head(seed=1, recalibration=recalibration, test=dict(sigmas=(0.05,) * 4, nms=1.0, **test))
    torch.manual_seed(0)
    return Estimator(head).train()


IMAGE = (oracle.uniform(3, 64, 96) * 255).byte()


@torch.no_grad()
def test_the_explanation_holds_the_maps_that_prediction_goes_through():
    estimator = model()
    seen = explain(estimator, IMAGE)
    # image in RGB, normalised, as the preprocessor should
    feats = estimator.extract_feat((IMAGE.flip(0).float()[None] - 100) / 50)
    output = estimator.head(feats)
    crowd, roots, maps = to_scores(output.crowd), output.roots, to_scores(output.heatmaps)
    count = len(roots.cell)
    assert count > 1 and not estimator.training
    np.testing.assert_array_equal(seen.image, IMAGE.permute(1, 2, 0))
    np.testing.assert_allclose(seen.crowd, crowd[0], atol=1e-6)
    np.testing.assert_allclose(seen.keypoints, maps, atol=1e-5)
    assert seen.roots.tolist() == roots.cell.tolist()
    np.testing.assert_allclose(seen.scores, roots.score, atol=1e-6)
    assert seen.masks.shape == (count, 16, 24) and 0 <= seen.masks.min() < seen.masks.max() <= 1
    np.testing.assert_allclose(seen.features, output.instance_features.norm(dim=1), rtol=1e-4)
    (people,) = estimator.head.predict(feats, [PoseDataSample()])
    assert len(people.keypoints) == count


def test_a_model_without_spatial_recalibration_has_no_masks_but_keypoint_maps():
    seen = explain(model('channel'), IMAGE)
    assert seen.masks.shape == (0, 16, 24) and len(seen.keypoints) == len(seen.roots) > 1


def test_an_image_in_which_nobody_is_found_has_empty_maps():
    seen = explain(model(min_score=1.0), IMAGE)
    assert seen.roots.shape == (0, 2) and seen.masks.shape == (0, 16, 24) and seen.keypoints.shape == (0, 4, 16, 24)
    assert to_scores(torch.tensor(seen.crowd)).shape == (5, 16, 24)


def test_the_masks_are_those_of_equation_10():
    estimator = model()
    seen = explain(estimator, IMAGE)
    spatial = estimator.head.gfd.spatial
    with torch.no_grad():
        features = estimator.extract_feat((IMAGE.flip(0).float()[None] - 100) / 50)[0]
        shared = estimator.head.gfd.conv_down(features)[0]
        x, y = seen.roots[0].tolist()
        similarity = torch.einsum('d,dhw->hw', spatial.attention(features[0, :, y, x]), shared)
        dx = (x - torch.arange(24.0)).expand(16, 24) / 32
        dy = (y - torch.arange(16.0))[:, None].expand(16, 24) / 32
        expected = spatial.conv(torch.stack([similarity, dx, dy])[None]).sigmoid()[0, 0]
    np.testing.assert_allclose(seen.masks[0], expected, atol=1e-5)
