"""The text of a config for own keypoints: a base and what differs from it."""

import os.path as osp
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from .images import LARGEST
from .keypoints import Keypoints
from .sigmas import DEFAULT, ENOUGH, Sigmas

WIDTH = 116  # characters of a comment
# RGB of keypoints and links on each side and in the middle; the colours of MMPose's own data sets
LEFT = [0, 255, 0]
RIGHT = [255, 128, 0]
MIDDLE = [51, 153, 255]
DOWNLOADS = 'https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/cid/coco/'


class Network(NamedTuple):
    """A network of the package's bases."""

    schedule: str  # base of the schedule
    weights: str | None  # MMPose's of COCO, below ``DOWNLOADS``; None where there are none


NETWORKS = {
    'hrnet-w32': Network('adam_140e', 'cid_hrnet-w32_8xb20-140e_coco-512x512_42b7e6e6-20230207.pth'),
    'hrnet-w48': Network('adam_140e', 'cid_hrnet-w48_8xb20-140e_coco-512x512_a36c3ecf-20230207.pth'),
    'hrnet-w16-small': Network('adam_100e_small', None),
}
MEANING = (
    'How far apart people annotate a keypoint, over the root of the area: the NMS and the evaluation judge distances '
    'by it.'
)
BATCH = 20  # images a step, of the bases
STEPS = 15  # an epoch, at least, where there are fewer images than fill so many steps


class Files(NamedTuple):
    """An annotation file and its images."""

    ann_file: str
    folder: str  # of the images
    has_areas: bool  # of all labelled people
    number: int  # of images that show a labelled person


class Content(NamedTuple):
    """What a config is made of."""

    name: str  # of the data set
    command: str  # that the config was written by
    network: str  # of ``NETWORKS``
    keypoints: Keypoints
    sigmas: Sigmas
    train: Files
    test: Files
    side: int  # short side of the input in pixels


def config_text(content: Content) -> str:
    """The config, as Python that mmengine reads."""
    parts = [_head(content), _base(content.network)]
    if not content.keypoints.are_coco:
        parts.append(_metainfo(content))
    parts.append(_model(content))
    if content.side != LARGEST:
        parts.append(_size(content.side))
    parts.append(_data(content))
    return '\n\n'.join(parts) + '\n'


def _head(content: Content) -> str:
    """What this is and what to do with it."""
    lines = [
        f'# CID on the {len(content.keypoints.names)} keypoints of {content.name!r}. Written by',
        f'#     {content.command}',
        f'# Train with "cid train {content.name}.py"; it says where the checkpoints are. "cid test" evaluates one.',
    ]
    return '\n'.join(lines)


def _base(network: str) -> str:
    """The bases: schedule of COCO, its pipelines, and the network."""
    return (
        '_base_ = [\n'
        "    __import__('cid_mmpose').config_path(f'_base_/{name}.py')\n"
        f"    for name in ('default_runtime', '{NETWORKS[network].schedule}', 'coco', 'cid_{network}')\n"
        ']'
    )


def _metainfo(content: Content) -> str:
    """Names, partners, links and sigmas."""
    names, partners, links = content.keypoints
    lines = [
        '# In the order of the annotation file. swap: the keypoint that takes its place in a mirrored image.',
        'metainfo = dict(',
        f'    dataset_name={content.name!r},',
        '    keypoint_info={',
    ]
    for place, name in enumerate(names):
        partner = partners.indices[place]
        swap = names[partner] if partner != place else ''
        colour = _colour(place, partner)
        lines.append(f"        {place}: dict(name={name!r}, id={place}, color={colour}, type='', swap={swap!r}),")
    lines.append('    },')

    lines.append('    skeleton_info={  # what is drawn; nothing is trained with it')
    for number, (one, other) in enumerate(links.pairs):
        colours = [_colour(place, partners.indices[place]) for place in (one, other)]
        colour = colours[0] if colours[0] == colours[1] else MIDDLE
        lines.append(f'        {number}: dict(link=({names[one]!r}, {names[other]!r}), id={number}, color={colour}),')
    lines.append('    },')

    lines.append(f'    joint_weights=[1.0] * {len(names)},')
    lines += _comment(f'{MEANING} {source_of_sigmas(content.sigmas, names)}', 4)
    lines += _wrapped(f'sigmas={list(content.sigmas.values)})', 4)
    return '\n'.join(lines)


def _colour(place: int, partner: int) -> list[int]:
    """RGB of a keypoint: of the pair's earlier one, of the later one, or of the middle."""
    if place == partner:
        return MIDDLE
    return LEFT if place < partner else RIGHT


def source_of_sigmas(sigmas: Sigmas, names: Sequence[str]) -> str:
    """Where the sigmas are from, in a sentence or two for the config and for the screen.

    Args:
        sigmas: of the K keypoints.
        names: (K,) keypoints.
    """
    of_coco = "COCO's go from 0.025 (eyes) to 0.107 (hips)."
    if not sigmas.objects:
        return f'{DEFAULT} is a default: nobody is annotated more than once in the file. {of_coco}'
    if not sigmas.measured:
        return f'{DEFAULT} is a default: too few are annotated more than once to measure ({sigmas.objects}). {of_coco}'

    text = f"Measured by COCO's definition on {sigmas.objects} who are annotated more than once. {of_coco}"
    left = [name for name, count in zip(names, sigmas.counts) if count < ENOUGH]
    if left:
        text += f' {DEFAULT} is a default where there were fewer than {ENOUGH} repetitions: {", ".join(left)}.'
    return text


def _model(content: Content) -> str:
    """The head's number of keypoints, and how to start from other weights."""
    number = len(content.keypoints.names)
    own = '' if content.keypoints.are_coco else 'metainfo=metainfo, '
    weights = NETWORKS[content.network].weights
    if weights is None:
        lines = [
            '# init_std=None: larger weights of GFD at the start, without which a short training tells nobody apart.',
            f'model = dict({own}head=dict(num_keypoints={number}, decoder=_base_.codec, init_std=None))',
        ]
    else:
        lines = [
            f'model = dict({own}head=dict(num_keypoints={number}, decoder=_base_.codec))',
            "# It starts from ImageNet's weights. To start from COCO's, with the maps of other keypoints fresh:",
            "# model.update(other_keypoints='fresh', backbone=dict(init_cfg=None))",
            f"# load_from = ('{DOWNLOADS}'",
            f"#              '{weights}')",
        ]
    return '\n'.join(lines)


def _size(side: int) -> str:
    """A smaller input than that of the base."""
    return (
        f'# The input: the base takes {LARGEST} pixels, and half of the images have a short side of at most {side}.\n'
        f'size = ({side}, {side})\n'
        "train_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in "
        '_base_.train_pipeline]\n'
        "val_pipeline = [dict(step, input_size=size) if 'input_size' in step else step for step in "
        '_base_.val_pipeline]'
    )


def _data(content: Content) -> str:
    """Where the data is, and how it is evaluated."""
    lines = []
    batch = batch_size(content.train.number)
    first = f'    batch_size={batch},  # images a step\n' if batch != BATCH else ''
    lines.append(f'train_dataloader = dict(\n{first}    dataset=dict(\n{_dataset(content, content.train, "train")}))')

    if content.test.ann_file == content.train.ann_file:
        lines.append('# The training images, for want of others: learned by heart. Name images kept apart here.')
    lines.append(f'val_dataloader = dict(\n    dataset=dict(\n{_dataset(content, content.test, "val")}))')
    lines.append('test_dataloader = val_dataloader')
    if not content.test.has_areas:
        lines.append('')
        lines.append('# The annotations have no areas: each is estimated from the box.')
        lines.append('val_evaluator = dict(use_area=False)')
        lines.append('test_evaluator = val_evaluator')
    return '\n'.join(lines)


def _dataset(content: Content, files: Files, pipeline: str) -> str:
    """The fields of a data set, one a line."""
    root = osp.dirname(osp.abspath(files.ann_file))
    images = osp.relpath(files.folder, root)
    if images.startswith(osp.pardir):
        images = osp.abspath(files.folder)
    prefix = '' if images == osp.curdir else f'{images}/'
    fields = [
        f'data_root={root + "/"!r}',
        f'ann_file={osp.basename(files.ann_file)!r}',
        f'data_prefix=dict(img={prefix!r})',
    ]
    if not content.keypoints.are_coco:
        fields.append('metainfo=metainfo')
    if content.side != LARGEST:
        fields.append(f'pipeline={pipeline}_pipeline')
    return ',\n'.join(f'        {field}' for field in fields)


def batch_size(number: int) -> int:
    """Images a step: as the base, and fewer where an epoch would have fewer than ``STEPS`` steps, but at least 2.

    Args:
        number: of training images.
    """
    return max(2, min(BATCH, number // STEPS))


def _comment(text: str, indent: int) -> list[str]:
    """A text as comment lines."""
    start = ' ' * indent + '# '
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start)


def _wrapped(code: str, indent: int) -> list[str]:
    """A list of numbers on as many lines as it takes."""
    start = ' ' * indent
    return textwrap.wrap(code, WIDTH, initial_indent=start, subsequent_indent=start * 2)
