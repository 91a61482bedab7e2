"""Whether weights from a file fit a model of CID, and what was done so that they do."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .layouts import (
    CELL_CENTER,
    KEYPOINT_MAPS,
    OURS,
    Layout,
    in_second_layout,
    listed,
    misfits,
    num_keypoints,
    num_weights,
    prefix_of,
    shape_of,
    translate,
    weights_of,
    why_not_finite,
    wrong_kinds,
)


class Fitted(NamedTuple):
    """Weights as a model takes them."""

    weights: dict[str, Any]  # under our names
    complaint: str | None  # why they cannot be taken over; None if they can
    changes: str  # what was changed for it, '' if nothing was


def fit(own: Mapping[str, Any], given: Mapping[str, Any], keep_own_keypoints: bool = False) -> Fitted:
    """Brings weights of any layout into the form in which a model takes them.

    Args:
        own: the model's state.
        given: weights, or a checkpoint that holds them.
        keep_own_keypoints: whether the model's maps stay where the file's are of another number of keypoints.
    """
    weights, layout = translate(given)
    given_keypoints = num_keypoints(weights)
    if keep_own_keypoints:
        keep_keypoint_maps(weights, own)

    complaint = why_unfit(own, weights) or why_not_finite(own, weights)
    if complaint:
        return Fitted(weights, complaint, '')
    done = changes(weights_of(given), weights, layout, given_keypoints)
    return Fitted(weights, None, done)


def keep_keypoint_maps(weights: dict[str, Any], own: Mapping[str, Any]) -> None:
    """Puts the model's own maps of keypoints in the place of those that differ in the number of keypoints only."""
    for name in KEYPOINT_MAPS:
        theirs = shape_of(weights.get(name))
        ours = shape_of(own.get(name))
        if not theirs or not ours:
            continue
        if theirs[0] != ours[0] and theirs[1:] == ours[1:]:
            weights[name] = own[name].clone()


def why_unfit(own: Mapping[str, Any], weights: Mapping[str, Any], complete: bool = False) -> str | None:
    """Why weights cannot be taken over, with what does not fit and the way out; None if they can.

    Args:
        own: the model's state.
        weights: of a file, under our names.
        complete: whether every weight must be there, not only more than half of the backbone's and of the head's.
    """
    if double := in_second_layout(weights):
        return double
    if other := wrong_kinds(own, weights):
        return f'{listed(other, own)}; save the state_dict of the model with torch.save, in floating point'

    wrong = misfits(own, weights)
    missing = [name for name in wrong if name not in weights]
    if len(missing) == len(wrong):
        backbone_lacks = _lacks(own, missing, 'backbone.', complete)
        head_lacks = _lacks(own, missing, 'head.', complete)
        if not backbone_lacks and not head_lacks:
            return None

    given_keypoints = num_keypoints(weights)
    own_keypoints = num_keypoints(own)
    if set(wrong) <= set(KEYPOINT_MAPS) and given_keypoints not in (0, own_keypoints):
        return (
            f'{listed(wrong, own)}: these are weights for {given_keypoints} keypoints, the model has '
            f'{own_keypoints}; give a configuration with {given_keypoints} keypoints, or '
            "model.other_keypoints='fresh' to train new maps of keypoints on top of the other weights"
        )
    if prefix := prefix_of(own, weights):
        first = next(iter(own))
        return f'names its weights {prefix}{first} and so on; save them without {prefix!r}'
    return (
        f'is not a checkpoint of this model: {listed(wrong, own)}; give the configuration it was trained with, or '
        'for the backbone alone set model.backbone.init_cfg'
    )


def _lacks(own: Mapping[str, Any], missing: list[str], part: str, complete: bool) -> bool:
    """Whether too much of a part of the model is missing."""
    gone = num_weights(missing, part)
    return gone > 0 and (complete or 2 * gone >= num_weights(own, part))


def changes(given: Mapping[str, Any], weights: Mapping[str, Any], layout: Layout, given_keypoints: int) -> str:
    """What was changed for weights to be taken over, '' if nothing was.

    Args:
        given: the weights as they came.
        weights: as they are taken over.
        layout: theirs.
        given_keypoints: K of the file.
    """
    done = []
    if layout is not OURS:
        renamed = set(given) - set(weights)
        done.append(f'layout of {layout.name}, {len(renamed)} weights renamed')
    if CELL_CENTER in weights and CELL_CENTER not in given:
        done.append(f'relative coordinates from cell + {float(weights[CELL_CENTER]):g} (cell_center)')
    taken = num_keypoints(weights)
    if given_keypoints != taken:
        done.append(f'its maps of {given_keypoints} keypoints left out, those of {taken} start anew')
    return '; '.join(done)
