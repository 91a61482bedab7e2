"""Writes a config that trains on an annotation file, from what the file says."""

import os.path as osp
import shlex
import textwrap
from collections.abc import Sequence
from itertools import compress

from cid_mmpose.data.annotations import read_annotations
from cid_mmpose.data.doctor.case import Case
from cid_mmpose.data.doctor.source import Source
from cid_mmpose.errors import BadInput
from cid_mmpose.files import check_file, write_whole

from .images import image_folder, input_side
from .keypoints import Keypoints, keypoints_of
from .sigmas import sigmas_of
from .text import WIDTH, Content, Files, batch_size, config_text, source_of_sigmas

NO_PAIRS = 'none, no two names say left and right; set swap in the config by hand if there are sides'


def check_new_config(path: str, overwrite: bool = False) -> None:
    """BadInput if a config cannot be written there.

    Args:
        path: of the config.
        overwrite: whether an existing file may go.
    """
    if not path.endswith('.py'):
        raise BadInput(f'--make-config {path}: a config is a Python file; give it a name that ends in .py')
    if osp.exists(path) and not overwrite:
        raise BadInput(f'--make-config {path}: is there already; name a new file, or add --overwrite')
    check_file(path)


def make_config(
    path: str,
    ann_file: str,
    *,
    images: str | None = None,
    test: str | None = None,
    keypoints: Sequence[str] = (),
    network: str = 'hrnet-w32',
    overwrite: bool = False,
) -> str:
    """Writes a config whole or not at all; returns what it holds, as text for the user.

    Args:
        path: of the config.
        ann_file: annotation file to train on.
        images: folder of its images, where those of ``test`` are looked for too; None looks where tools put them.
        test: annotation file to evaluate on; None takes that of the training.
        keypoints: their names, where the file has none.
        network: of ``text.NETWORKS``.
        overwrite: whether an existing file may go.

    Raises:
        BadInput: the file leaves something open (names, category, folder of the images), or ``path`` cannot be
            written.
    """
    check_new_config(path, overwrite)
    case = _case(ann_file, keypoints)
    found = keypoints_of(case.data, ann_file, keypoints)
    train = _files(case, images)
    tested = train
    if test is not None:
        test_case = _case(test, found.names)
        _check_same_keypoints(keypoints_of(test_case.data, test, keypoints), found, test)
        tested = _files(test_case, images)

    content = Content(
        name=osp.splitext(osp.basename(path))[0],
        command=_command(path, ann_file, images, test, keypoints, network),
        network=network,
        keypoints=found,
        sigmas=sigmas_of(case),
        train=train,
        test=tested,
        side=input_side(case.images),
    )
    write_whole(path, config_text(content).encode())
    return summary(content, path)


def _case(ann_file: str, names: Sequence[str]) -> Case:
    """The annotations of a file as arrays."""
    source = Source(ann_file, names=tuple(names) or None)
    return Case(source, read_annotations(ann_file))


def _files(case: Case, images: str | None) -> Files:
    """What the config says of a file; BadInput if nobody in it is labelled or its images are not found."""
    if not case.is_labelled.any():
        raise BadInput(f'{case.source.path}: nobody in it has labelled keypoints; there is nothing to train on')
    labelled = list(compress(case.people, case.is_labelled))
    return Files(
        ann_file=case.source.path,
        folder=image_folder(case.data, case.source.path, images),
        has_areas=all('area' in annotation for annotation in labelled),
        number=len({annotation['image_id'] for annotation in labelled}),
    )


def _check_same_keypoints(test: Keypoints, train: Keypoints, path: str) -> None:
    """BadInput if a file for evaluation has other keypoints than that for training."""
    if test.names != train.names:
        pairs = zip(test.names, train.names)
        differing = next((pair for pair in pairs if pair[0] != pair[1]), None)
        how = f'{differing[0]!r} where that has {differing[1]!r}' if differing else f'{len(test.names)} of them'
        raise BadInput(f'--test {path}: has other keypoints than the file to train on: {how}')


def _command(
    path: str, ann_file: str, images: str | None, test: str | None, keypoints: Sequence[str], network: str
) -> str:
    """The command that writes this config, for its head."""
    words = ['cid', 'doctor', ann_file]
    if images:
        words += ['--images', images]
    if test:
        words += ['--test', test]
    if keypoints:
        words += ['--keypoints', *keypoints]
    if network != 'hrnet-w32':
        words += ['--network', network]
    return shlex.join([*words, '--make-config', path])


def summary(content: Content, path: str) -> str:
    """What was taken from the file, what was not clear, and what to do next.

    Args:
        content: of the config.
        path: where it was written.
    """
    names, partners, links = content.keypoints
    pairs = [f'{names[one]} - {names[two]}' for one, two in enumerate(partners.indices) if one < two]
    middle = [name for place, name in enumerate(names) if partners.indices[place] == place]
    of_coco = content.keypoints.are_coco
    lines = [
        f'{path}: a config for {len(names)} keypoints',
        f'  swap: {", ".join(pairs) or NO_PAIRS}',
        f'  stay: {", ".join(middle) or "none"}',
    ]
    lines += [f'  not clear: {text}; set swap in the config by hand if it has one' for text in partners.unclear]
    if of_coco:
        lines.append("  links and sigmas: COCO's, because these are COCO's keypoints")
    else:
        lines.append(f'  links: {links.note}')
        values = ', '.join(map(str, content.sigmas.values))
        measured = f'{values}. ' if content.sigmas.measured else ''
        lines.append(f'  sigmas: {measured}{source_of_sigmas(content.sigmas, names)}')
    lines.append(f'  train: {_files_in_short(content.train)}, {batch_size(content.train.number)} a step')
    lines.append(f'  test: {_files_in_short(content.test)}')
    if content.test == content.train:
        lines[-1] += ', which are those of the training: --test names others'
    lines.append(f'  input: short side {content.side} pixels')
    lines.append(f'now: cid train {shlex.quote(path)}')
    wrapped = [textwrap.fill(line, WIDTH, subsequent_indent='      ', break_long_words=False) for line in lines]
    return '\n'.join(wrapped)


def _files_in_short(files: Files) -> str:
    """A file and its images in a few words."""
    return f'{files.number} images of {files.ann_file} in {files.folder}'
