"""Small evaluations whose figures are worked out by hand, for agreement/test_known_answers.py.

AP is the mean over the OKS thresholds .50, .55 ... .95 of the mean over the recalls 0, .01 ... 1 (101 of them) of the
best precision at that recall or a higher one. So with precision 1 up to recall r, and no more recall, a threshold gives
(100 r + 1) / 101.
"""

from dataclasses import dataclass

import numpy as np

from .images import person

SIDE = 60  # px, of a person's box: 3600 px, medium for COCO (32 * 32 to 96 * 96)
AREA = SIDE**2
FAR = 5000  # px, so far off that a keypoint's OKS is 0
COCO = np.array(
    [
        0.026,
        0.025,
        0.025,
        0.035,
        0.035,
        0.079,
        0.079,
        0.072,
        0.072,
        0.062,
        0.062,
        0.107,
        0.107,
        0.087,
        0.087,
        0.089,
        0.089,
    ]
)
CROWD = np.array([0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089, 0.079, 0.079])


@dataclass(frozen=True)
class Case:
    """Annotated people, what a model found of them (image, keypoints (K, 2) in px, score), and the figures by hand."""

    name: str
    people: list
    found: list
    figures: dict
    crowd_index: tuple = ()  # of the images 1, 2, ...; as many as people, where it is empty


def human(number: int, image: int = 0, count: int = 17, side: int = SIDE, left: int = 0, **changes) -> dict:
    """A person in the image of the same number, or another; 200 px from the next, or at ``left`` px; all keypoints on
    the diagonal of the box, with visibility 2 or as ``seen`` says."""
    seen = changes.pop('seen', [2] * count)
    x, y = left or 200 * number, 30
    diagonal = side * np.linspace(0, 1, count)
    keypoints = np.stack([x + diagonal, y + diagonal, seen], 1).ravel().tolist()
    labelled = int(np.count_nonzero(seen))
    return person(
        number,
        image or number,
        (x, y, side, side),
        **dict(dict(keypoints=keypoints, num_keypoints=labelled), **changes),
    )


def right(who: dict, score: float = 0.5, image: int = 0, moved=0.0) -> tuple:
    """The person found with these keypoints (K,) or all keypoints moved to the right by pixels, in any image."""
    xy = np.array(who['keypoints'], float).reshape(-1, 3)[:, :2]
    xy[:, 0] += moved
    return image or who['image_id'], xy, score


def wrong(who: dict, score: float = 0.5) -> tuple:
    """Somebody far from the person, in the same image."""
    return right(who, score, moved=FAR)


def at_oks(who: dict, oks: float, sigmas: np.ndarray, area: float, score: float = 0.5) -> tuple:
    """The person found with every keypoint so far off that exp(-d^2 / (2 area (2 sigma)^2)) is the OKS."""
    return right(who, score, moved=2 * sigmas * np.sqrt(2 * area * -np.log(oks)))


A, B, C, D = (human(number) for number in range(1, 5))
TALL = human(2, side=120)  # 14400 px, large
FOUR = human(1, seen=[2, 1, 2, 1] + [0] * 13)  # four labelled keypoints, two of them hidden
NOBODY = human(2, image=1, seen=[0] * 17)  # a person without labelled keypoints
REGION = human(2, image=1, seen=[0] * 17, iscrowd=1)
EVERY_OTHER = np.array([0, FAR] + [0] * 15)  # of FOUR's labelled keypoints, the second is wrong
HIDDEN = np.array([0, FAR, 0, FAR] + [0] * 13)
UNLABELLED = np.array([0] * 4 + [FAR] * 13)
TWICE = (51 + 50 * 2 / 3) / 101  # right, wrong, right: precision 1 up to recall .5, then 2 / 3

COCO_CASES = [
    Case(
        'everyone right',
        [A, B, C, D],
        [right(p) for p in (A, B, C, D)],
        {'AP': 1, 'AP .5': 1, 'AP .75': 1, 'AP (M)': 1, 'AP (L)': -1, 'AR': 1},
    ),  # -1: nobody is large
    Case('half of the people', [A, B, C, D], [right(A), right(B)], {'AP': 51 / 101, 'AR': 0.5}),
    Case(
        'half, and two wrong of lower score',
        [A, B, C, D],
        [right(A, 0.9), right(B, 0.9), wrong(C, 0.1), wrong(D, 0.1)],
        {'AP': 51 / 101, 'AR': 0.5},
    ),
    # wrong, wrong, right, right: the precision at recall .5 is 2 / 4, and no better before
    Case(
        'half, and two wrong of higher score',
        [A, B, C, D],
        [right(A, 0.1), right(B, 0.1), wrong(C, 0.9), wrong(D, 0.9)],
        {'AP': 51 / 101 / 2, 'AR': 0.5},
    ),
    Case('right poses in the wrong images', [A, B], [right(A, image=2), right(B, image=1)], {'AP': 0, 'AR': 0}),
    # .50, .55, .60, .65 and .70 are passed: 5 of the 10 thresholds
    Case(
        'everyone at OKS .72',
        [A, B],
        [at_oks(A, 0.72, COCO, AREA), at_oks(B, 0.72, COCO, AREA)],
        {'AP': 0.5, 'AP .5': 1, 'AP .75': 0, 'AR': 0.5, 'AR .75': 0},
    ),
    Case('everyone at OKS .96', [A, B], [at_oks(A, 0.96, COCO, AREA), at_oks(B, 0.96, COCO, AREA)], {'AP': 1}),
    Case('everyone at OKS .49', [A, B], [at_oks(A, 0.49, COCO, AREA), at_oks(B, 0.49, COCO, AREA)], {'AP': 0}),
    # OKS 3 / 4 of four labelled keypoints reaches .50 to .75, 6 of 10 thresholds
    Case('three of four keypoints', [FOUR], [right(FOUR, moved=EVERY_OTHER)], {'AP': 0.6, 'AP .75': 1}),
    # OKS 2 / 4 reaches .50 alone
    Case('hidden keypoints count', [FOUR], [right(FOUR, moved=HIDDEN)], {'AP': 0.1, 'AP .5': 1}),
    Case('unlabelled keypoints do not', [FOUR], [right(FOUR, moved=UNLABELLED)], {'AP': 1}),
    # what is found in a crowd's region counts neither way, however often
    Case(
        'two found in a crowd', [A, REGION], [right(REGION, 0.9), right(REGION, 0.8), right(A, 0.5)], {'AP': 1, 'AR': 1}
    ),
    Case('one found beside the crowd', [A, REGION], [wrong(REGION, 0.9), right(A, 0.5)], {'AP': 0.5, 'AR': 1}),
    # of those found in an unlabelled person one is passed over and one is wrong: precision 1 / 2 where A is found
    Case(
        'two found in an unlabelled person',
        [A, NOBODY],
        [right(NOBODY, 0.9), right(NOBODY, 0.8), right(A, 0.5)],
        {'AP': 0.5},
    ),
    Case('a person found twice', [A, B], [right(A, 0.9), right(A, 0.8), right(B, 0.7)], {'AP': TWICE, 'AR': 1}),
    Case('a wrong one of middle score', [A, B], [right(B, 0.1), wrong(A, 0.5), right(A, 0.9)], {'AP': TWICE, 'AR': 1}),
    Case('a wrong one of lowest score', [A, B], [right(B, 0.5), wrong(A, 0.1), right(A, 0.9)], {'AP': 1, 'AR': 1}),
    # 20 people an image count
    Case('19 wrong before the right one', [A], [wrong(A, 0.9)] * 19 + [right(A, 0.5)], {'AP': 1 / 20, 'AR': 1}),
    Case('20 wrong before the right one', [A], [wrong(A, 0.9)] * 20 + [right(A, 0.5)], {'AP': 0, 'AR': 0}),
    Case(
        'medium found, large not',
        [A, TALL],
        [right(A)],
        {'AP': 51 / 101, 'AP (M)': 1, 'AP (L)': 0, 'AR (M)': 1, 'AR (L)': 0},
    ),
    # 5 thresholds find both; in the others TALL comes before a wrong one: 51 / 101
    Case(
        'medium at OKS .72, large right',
        [A, TALL],
        [right(TALL, 0.9), at_oks(A, 0.72, COCO, AREA)],
        {'AP': (5 + 5 * 51 / 101) / 10, 'AP (M)': 0.5, 'AP (L)': 1},
    ),
]

BOX = 0.53 * AREA  # px, the area that CrowdPose's evaluation takes from a box
EASY, EASY2, MIDDLE, MIDDLE2, HARD, HARD2 = (human(n, (n + 1) // 2, count=14) for n in range(1, 7))
P, Q, R, S = (human(n, count=14) for n in range(1, 5))
ONLY_HEAD = human(2, count=14, seen=[0] * 12 + [2, 2], num_keypoints=0)  # as CrowdPose's files count
MIXED = [
    right(EASY, 0.9),
    right(EASY2, 0.9),
    at_oks(MIDDLE, 0.72, CROWD, BOX, 0.8),
    at_oks(MIDDLE2, 0.72, CROWD, BOX, 0.8),
    right(HARD, 0.7),
]
# Of six people, 5 thresholds find five: precision 1 up to recall 5 / 6. The others see right, right, wrong, wrong,
# right: precision 1 up to recall 2 / 6 (34 recalls), then 3 / 5 up to 3 / 6 (17 recalls).
MIXED_AP = (5 * 84 + 5 * (34 + 17 * 3 / 5)) / 10 / 101

CROWDPOSE_CASES = [
    Case(
        'everyone right',
        [P, Q, R],
        [right(p) for p in (P, Q, R)],
        {'AP': 1, 'AP .5': 1, 'AP .75': 1, 'AR': 1, 'AP(E)': 1, 'AP(M)': 1, 'AP(H)': 1},
        (0.0, 0.5, 1.0),
    ),
    # easy: both; medium: both at OKS .72; hard: one of two. The three are rounded to 4 digits.
    Case(
        'easy, medium and hard differ',
        [EASY, EASY2, MIDDLE, MIDDLE2, HARD, HARD2],
        MIXED,
        {'AP': MIXED_AP, 'AR': (5 * 5 / 6 + 5 * 3 / 6) / 10, 'AP(E)': 1, 'AP(M)': 0.5, 'AP(H)': 0.505},
        (0.1, 0.5, 0.9),
    ),
    Case(
        'easy ends below .2, hard begins at .8',
        [P, Q, R, S],
        [right(P), right(S)],
        {'AP': 51 / 101, 'AP(E)': 1, 'AP(M)': 0, 'AP(H)': 1},
        (0.19, 0.2, 0.79, 0.8),
    ),
    Case('all images easy', [P], [right(P)], {'AP': 1, 'AP(E)': 1, 'AP(M)': -1, 'AP(H)': -1}, (0.1,)),
    Case(
        'the area comes from the box',
        [human(1, count=14, area=10**6)],
        [at_oks(P, 0.72, CROWD, BOX)],
        {'AP': 0.5, 'AP .75': 0},
        (0.5,),
    ),
    Case(
        'everyone at OKS .72, hidden keypoints as well',
        [human(1, count=14, seen=[1] * 14)],
        [at_oks(P, 0.72, CROWD, BOX)],
        {'AP': 0.5},
        (0.5,),
    ),
    Case('head and neck alone are not asked for', [P, ONLY_HEAD], [right(P)], {'AP': 1, 'AR': 1}, (0.5, 0.5)),
    Case(
        'half of the people, one twice', [P, Q], [right(P, 0.9), right(P, 0.8)], {'AP': 51 / 101, 'AR': 0.5}, (0.5, 0.5)
    ),
]

LEFT, LAP = human(1), human(2, image=1, left=225)  # two people across each other
OCHUMAN_CASES = [
    Case('both right', [LEFT, LAP], [right(LEFT), right(LAP)], {'AP': 1, 'AR': 1, 'AP (M)': 1}),
    Case(
        'one found twice, the other not', [LEFT, LAP], [right(LEFT, 0.9), right(LEFT, 0.8)], {'AP': 51 / 101, 'AR': 0.5}
    ),
    Case(
        'everyone at OKS .72 of the area',
        [human(1, area=2 * AREA)],
        [at_oks(LEFT, 0.72, COCO, 2 * AREA)],
        {'AP': 0.5, 'AP .75': 0},
    ),
]
CASES = dict(coco=COCO_CASES, crowdpose=CROWDPOSE_CASES, ochuman=OCHUMAN_CASES)
