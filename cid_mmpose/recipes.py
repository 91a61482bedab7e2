"""The two recipes: every rule on which the authors' code and MMPose's port of it differ, as one option with two values.

``reference`` is the authors' code and the default; ``mmpose`` is MMPose 1.3.2's ``CIDHead`` with its codec, losses and
transforms, for its checkpoints and for comparison. ``docs/recipes.md`` says what each option does and where it is from.
A part takes its options from the recipe it is given; an option that is given by itself wins over the recipe. In a
config one word, ``recipe``, chooses for all parts (``apply_recipe``).
"""

import difflib
from collections.abc import Iterator
from typing import Any

from .errors import BadInput

# type of the part -> its options
RECIPES: dict[str, dict[str, dict[str, Any]]] = {
    'reference': {
        'SizeAdaptiveHeatmap': dict(
            gaussian='whole',
            rounding='down',
            small_person_area=32.0**2,
            off_map='skip',
            shared_cell='cell',
            max_people=0,
            border='all',
        ),
        'CIDHead': dict(cell_center=0.0),
        'CocoPeople': dict(train_images='labelled'),
        'RandomAffine': dict(distribution='uniform', shift_of='window'),
        'RandomMirror': dict(mirror='map'),
        'LossMask': dict(regions='masked'),
    },
    'mmpose': {
        'SizeAdaptiveHeatmap': dict(
            gaussian='fractional',
            rounding='nearest',
            small_person_area=0.0,
            off_map='touching',
            shared_cell='position',
            max_people=30,
            border='inner',
        ),
        'CIDHead': dict(cell_center=0.5),
        'CocoPeople': dict(train_images='annotated'),
        'RandomAffine': dict(distribution='trunc_norm', shift_of='sides'),
        'RandomMirror': dict(mirror='input'),
        'LossMask': dict(regions='ignored'),
    },
}
DEFAULT = 'reference'
SCOPE = 'cid_mmpose.'
CODEC = 'cid_mmpose.SizeAdaptiveHeatmap'
IN_CELLS = ('cid_mmpose.LossMask', 'cid_mmpose.RandomMirror')  # steps that count in cells, so by the codec's stride
SETTINGS = dict(recipe=str, codec=dict)  # top-level words of a config that reach its parts, and what they hold
ALIKE = 0.8  # difflib's likeness above which a word is one of them misspelt
RUN = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader')  # where the parts of a run are


def options_of(part: str, recipe: str, **given: Any) -> dict[str, Any]:
    """The options of a part: as the recipe has them, except for those in ``given`` that are not None.

    Args:
        part: a type name of ``RECIPES``.
        recipe: 'reference' or 'mmpose'.
        **given: option -> value; all options of the part, None where nothing is given.

    Raises:
        BadInput: there is no such recipe, or an option is none of the words that the recipes have for it.
    """
    check_recipe(recipe)
    options = dict(RECIPES[recipe][part])
    for name in options:
        if given[name] is not None:
            options[name] = given[name]

    for name, value in options.items():
        words = [RECIPES[known][part][name] for known in RECIPES]
        if isinstance(words[0], str) and value not in words:
            raise BadInput(f'{part}: {name} must be one of {words}, got {value!r}')
    return options


def check_recipe(recipe: str) -> None:
    """BadInput if there is no such recipe."""
    if recipe not in RECIPES:
        raise BadInput(f'recipe: there is no {recipe!r}; it is one of {sorted(RECIPES)}')


def parts_in(node: Any) -> Iterator[dict]:
    """Every part in a config, at any depth, that has a recipe."""
    if isinstance(node, dict):
        kind = str(node.get('type', ''))
        if SCOPE in kind and kind.replace(SCOPE, '', 1) in RECIPES[DEFAULT]:
            yield node
        for value in node.values():
            yield from parts_in(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from parts_in(value)


def codecs_in(cfg: Any) -> Iterator[dict]:
    """The codecs of a config's head and pipelines, if it has a ``codec`` of ours that sets the options of all."""
    codec = cfg.get('codec') or {}
    if codec.get('type') == CODEC:
        yield from (part for part in parts_in(dict(cfg.items())) if part['type'] == CODEC)


def steps_in_cells(cfg: Any) -> Iterator[dict]:
    """The steps of a config's pipelines that count in cells, if it has a ``codec`` of ours that sets their stride."""
    codec = cfg.get('codec') or {}
    if codec.get('type') == CODEC and 'stride' in codec:
        yield from (part for part in parts_in(dict(cfg.items())) if part['type'] in IN_CELLS)


def check_settings(cfg: Any) -> None:
    """BadInput for a top-level word of a config of ours that is ``recipe`` or ``codec`` misspelt: it would do nothing.

    Only a word that holds what the right one does counts, and none with an underscore: variables of users' own, such as
    ``decoder`` or ``val_codec``, are let alone.
    """
    if next(parts_in(dict(cfg.items())), None) is None:
        return
    for word, value in cfg.items():
        near = difflib.get_close_matches(word.lower(), SETTINGS, 1, ALIKE)
        if near and word not in SETTINGS and '_' not in word and isinstance(value, SETTINGS[near[0]]):
            raise BadInput(f'unknown setting {word!r}; did you mean {near[0]!r}?')


def mixed_recipes(cfg: Any) -> str:
    """Which parts of a run have which recipe, and the way to one for all; '' if all have the same.

    Args:
        cfg: a config or a dict of one, as it runs.
    """
    types = {}  # recipe -> types of its parts
    for part in parts_in([cfg.get(name) for name in RUN]):
        recipe = part.get('recipe', DEFAULT)
        name = part['type'].replace(SCOPE, '', 1)
        types.setdefault(recipe, set()).add(name)
    if len(types) < 2:
        return ''

    words = []
    for recipe in sorted(types):
        names = ', '.join(sorted(types[recipe]))
        words.append(f'{recipe!r}: {names}')
    given = '; '.join(words)
    return (
        f"the parts of this run have different recipes ({given}); recipe='mmpose' or recipe='reference' of the "
        'config sets all that have no recipe of their own'
    )


def apply_recipe(cfg: Any) -> None:
    """Gives the config's ``codec`` to its head and pipelines, and its word ``recipe`` to every part that names none.

    The codec's stride also goes to the steps that count in cells and have none.

    Args:
        cfg: a config or a dict of one, changed in place; without either word it stays as it is.

    Raises:
        BadInput: there is no such recipe, or one of the words is misspelt.
    """
    check_settings(cfg)
    for part in codecs_in(cfg):
        part.update(cfg['codec'])
    for step in steps_in_cells(cfg):
        step.setdefault('stride', cfg['codec']['stride'])
    if 'recipe' not in cfg:
        return
    check_recipe(cfg['recipe'])
    for part in parts_in(dict(cfg.items())):
        part.setdefault('recipe', cfg['recipe'])
