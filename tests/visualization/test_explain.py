"""What CID sees inside."""

import numpy as np
import torch
from mmpose.models import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch import nn

from cid_mmpose.models.gfd import to_scores
from cid_mmpose.visualization.explain import explain
from tests.helpers import oracle


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
    assert seen.masks.shape == seen.similarity.shape == (0, 16, 24)
    assert len(seen.keypoints) == len(seen.roots) > 1


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
    np.testing.assert_allclose(seen.similarity[0], similarity, atol=1e-4)


def test_the_channel_weights_are_those_of_equation_11():
    estimator = model()
    seen = explain(estimator, IMAGE)
    channel = estimator.head.gfd.channel
    with torch.no_grad():
        features = estimator.extract_feat((IMAGE.flip(0).float()[None] - 100) / 50)[0]
        x, y = seen.roots[1].tolist()
        expected = channel.attention.weight @ features[0, :, y, x] + channel.attention.bias
    np.testing.assert_allclose(seen.channel_weights[1], expected, rtol=1e-4, atol=1e-5)
    assert explain(model('spatial'), IMAGE).channel_weights.shape == (0, seen.channel_weights.shape[1])


def test_people_whose_roots_are_known_are_explained_in_the_order_in_which_they_are_given():
    estimator = model()
    everyone = explain(estimator, IMAGE)
    two = explain(estimator, IMAGE, everyone.roots[[2, 0]])
    assert two.roots.tolist() == everyone.roots[[2, 0]].tolist()
    np.testing.assert_allclose(two.keypoints, everyone.keypoints[[2, 0]], atol=1e-5)
    np.testing.assert_allclose(two.masks, everyone.masks[[2, 0]], atol=1e-5)
    for (x, y), score in zip(two.roots, two.scores):
        assert score == two.crowd[-1, y, x]
    nobody = explain(estimator, IMAGE, np.empty((0, 2), int))
    assert nobody.keypoints.shape == (0, 4, 16, 24)
