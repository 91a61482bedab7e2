"""An annotation file with everything that a sound one may hold, and seeded ways to spoil it."""

import copy
import json
import math
from random import Random
from typing import Any

from .images import coco, person

SIZE = (96, 72)  # width, height of an image in pixels
IMAGES = 4


def deep(levels: int) -> list:
    """Lists in lists."""
    made: list = []
    for _ in range(levels):
        made = [made]
    return made


def junk() -> list:
    """Values that may stand anywhere, made anew."""
    return [
        None,
        True,
        False,
        0,
        -1,
        1,
        2,
        3,
        99,
        1.0,
        1.5,
        -0.5,
        '',
        '0',
        '1',
        'x',
        'person',
        '\ud800.png',
        'a\0b',
        '..',
        [],
        [0],
        [[1, 2]],
        [[1, 2, 3, 4, 5, 6]],
        {},
        {'a': 1},
        {'size': [72, 96], 'counts': [0, 6912]},
        {'size': [72, 96], 'counts': 'PPPP'},
        math.nan,
        math.inf,
        -math.inf,
        1e18,
        -1e18,
        1e308,
        1e-30,
        10**30,
        10**400,
        2**31,
        2**32,
        2**63,
        2**63 - 1,
        -(2**63),
        deep(60),
        deep(400),
        'x' * 5000,
    ]


def sound() -> dict:
    """Four images; five people, two crowds (polygon and run lengths), one without labelled keypoints, and a dog."""
    people = [person(i, i, box=(20, 10, 50, 50)) for i in range(1, 5)]
    people += [
        person(5, 1, box=(5, 5, 40, 60)),
        person(6, 2, box=(1, 1, 30, 30), iscrowd=1, keypoints=[0] * 51, num_keypoints=0),
        person(
            7,
            3,
            box=(0, 0, 10, 72),
            iscrowd=1,
            keypoints=[0] * 51,
            num_keypoints=0,
            segmentation=dict(size=[72, 96], counts=[0, 720, 6192]),
        ),
        person(8, 4, box=(1, 1, 20, 20), keypoints=[0] * 51, num_keypoints=0),
        person(9, 4, box=(60, 20, 30, 30), category_id=2),
    ]
    categories = [dict(id=1, name='person'), dict(id=2, name='dog')]
    return coco(people, IMAGES, categories, size=SIZE)


def places(data: Any) -> list[tuple[Any, Any, str]]:
    """Every container and key in a file, with a name for places of the same sort: 'annotations.*.bbox.*'."""
    found = []

    def walk(node: Any, name: str) -> None:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            below = f'{name}.{key if isinstance(node, dict) else "*"}'
            found.append((node, key, below))
            if isinstance(node[key], (dict, list)):
                walk(node[key], below)

    walk(data, '')
    return found


def spoil(data: dict, rng: Random) -> str:
    """Changes one place of the file; returns what was done. Each sort of place is as likely as any other."""
    every = places(data)
    name = rng.choice(sorted({name for _, _, name in every}))
    node, key, _ = rng.choice([place for place in every if place[2] == name])
    way = rng.choice(['set', 'set', 'set', 'delete', 'twice', 'other'])
    if way == 'set':
        node[key] = rng.choice(junk())
        return f'{name} = {str(node[key])[:30]!r}'
    if way == 'delete':
        del node[key]
    elif way == 'twice' and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    else:
        other, place, _ = rng.choice(every)
        node[key] = copy.deepcopy(other.get(place) if isinstance(other, dict) else dict(enumerate(other)).get(place))
    return f'{name}: {way}'


def spoilt_text(seed: int) -> tuple[str, str]:
    """A file with one to three places changed, or its text cut or changed; and what was done."""
    rng = Random(seed)
    data = sound()
    done = [spoil(data, rng) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    text = json.dumps(data)
    if rng.random() < 0.08:
        place = rng.randrange(len(text))
        inserted = rng.choice(['', '9' * 5000, ']', '1e999', '\ufeff', '"'])
        text = text[:place] + inserted + text[place + rng.randrange(3) :]
        done.append(f'text at {place}')
    return text, '; '.join(done)
