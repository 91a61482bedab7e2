"""What the paper says (CVPR 2022), typed by hand: the recipe of every config, and CID's own rows of tables 1-6.

Where the paper is silent, the authors' configuration (OCHuman's NMS and blur, CrowdPose's small people) or the first
lines of the config say where a number is from.
"""

from typing import NamedTuple

COCO_TRAIN, COCO_VAL = (f'coco/annotations/person_keypoints_{part}2017.json' for part in ('train', 'val'))
COCO_TEST = 'coco/annotations/image_info_test-dev2017.json'
CROWDPOSE_TRAIN, CROWDPOSE_TEST = (
    f'crowdpose/annotations/mmpose_crowdpose_{part}.json' for part in ('trainval', 'test')
)
OCHUMAN_VAL, OCHUMAN_TEST = (
    f'ochuman/annotations/ochuman_coco_format_{part}_range_0.00_1.00.json' for part in ('val', 'test')
)


class Recipe(NamedTuple):
    """Section 4.2 on COCO, which the other recipes differ from; pixels are those of the network's input."""

    backbone: int = 32  # HRNet-W32
    side: int = 512  # short side in pixels
    keypoints: int = 17
    epochs: int = 140
    drops: tuple[int, int] = (90, 120)  # epochs after which the learning rate is divided by 10
    batch: int = 40  # images a step
    trained_on: str = COCO_TRAIN
    tested_on: str = COCO_VAL
    best: str = 'coco/AP'  # by which the best checkpoint is chosen
    smallest_person: float = 32**2  # square pixels of the box; smaller people get no map of their own
    blur: int = 3  # cells
    nms: float = 0.8  # OKS
    gfd_channels: int = 32  # table 2
    recalibration: str = 'fused'  # table 1
    contrastive: float = 1  # weight of eq. 8


COCO = Recipe()
COCO_W48 = Recipe(backbone=48, side=640, gfd_channels=48)
CROWDPOSE = Recipe(
    keypoints=14,
    epochs=300,
    drops=(200, 260),
    trained_on=CROWDPOSE_TRAIN,
    tested_on=CROWDPOSE_TEST,
    best='crowdpose/AP',
    smallest_person=0,
)
CROWDPOSE_W48 = CROWDPOSE._replace(backbone=48, side=640, gfd_channels=48)
OCHUMAN = Recipe(batch=20, trained_on=OCHUMAN_VAL, tested_on=OCHUMAN_TEST, best='ochuman/AP', nms=0.7)
ABLATION = Recipe(epochs=35, drops=(22, 30))

RECIPES = {
    'cid_hrnet-w32_coco': COCO,
    'cid_hrnet-w48_coco': COCO_W48,
    'cid_hrnet-w48_coco-512': COCO_W48._replace(side=512),
    'cid_hrnet-w32_coco-testdev': COCO._replace(tested_on=COCO_TEST),
    'cid_hrnet-w48_coco-testdev': COCO_W48._replace(tested_on=COCO_TEST),
    'cid_hrnet-w32_coco_mmpose-recipe': COCO._replace(batch=160, smallest_person=0),
    'cid_hrnet-w48_coco-512_mmpose-recipe': COCO_W48._replace(side=512, batch=160, smallest_person=0),
    'cid_hrnet-w32_crowdpose': CROWDPOSE,
    'cid_hrnet-w48_crowdpose': CROWDPOSE_W48,
    'cid_hrnet-w32_coco-pretrained_crowdpose': CROWDPOSE,
    'cid_hrnet-w48_coco-pretrained_crowdpose': CROWDPOSE_W48,
    'cid_hrnet-w32_ochuman': OCHUMAN,
    'cid_hrnet-w48_ochuman': OCHUMAN._replace(backbone=48, side=640, gfd_channels=48),
    'cid_hrnet-w32_coco_ochuman-val': COCO._replace(tested_on=OCHUMAN_VAL, blur=11, nms=0.7),
    'cid_hrnet-w48_coco_ochuman-val': COCO_W48._replace(tested_on=OCHUMAN_VAL, blur=11, nms=0.7),
    'cid_hrnet-w32_coco_ochuman-test': COCO._replace(tested_on=OCHUMAN_TEST, blur=11, nms=0.7),
    'cid_hrnet-w48_coco_ochuman-test': COCO_W48._replace(tested_on=OCHUMAN_TEST, blur=11, nms=0.7),
    'ablation/cid_hrnet-w32_coco-35e': ABLATION,
    'ablation/cid_hrnet-w32_coco-35e_spatial': ABLATION._replace(recalibration='spatial'),
    'ablation/cid_hrnet-w32_coco-35e_channel': ABLATION._replace(recalibration='channel'),
    'ablation/cid_hrnet-w32_coco-35e_no-contrastive': ABLATION._replace(contrastive=0),
    'ablation/cid_hrnet-w32_coco-35e_spatial_no-contrastive': ABLATION._replace(recalibration='spatial', contrastive=0),
    'ablation/cid_hrnet-w32_coco-35e_channel_no-contrastive': ABLATION._replace(recalibration='channel', contrastive=0),
    'ablation/cid_hrnet-w32_coco-35e_gfd-8': ABLATION._replace(gfd_channels=8),
    'ablation/cid_hrnet-w32_coco-35e_gfd-16': ABLATION._replace(gfd_channels=16),
    'ablation/cid_hrnet-w32_coco-35e_gfd-64': ABLATION._replace(gfd_channels=64),
}

BY_SIZE = 'AP  AP@0.5  AP@0.75  AP (M)  AP (L)'
COLUMNS = {  # of each table, two spaces between them
    1: BY_SIZE,
    2: BY_SIZE,
    3: 'Memory (GB)  Parameters (M)  GFLOPs  FPS  AP',
    4: f'FPS  {BY_SIZE}  AR',
    5: 'AP  AP@0.5  AP@0.75  AP (E)  AP (M)  AP (H)',
    6: 'AP',
}
FIGURES = {  # table -> config -> its row, from the top to the bottom
    1: {
        'cid_hrnet-w32_coco-35e_spatial_no-contrastive': '17.9 29.4 16.7 11.7 26.9',
        'cid_hrnet-w32_coco-35e_channel_no-contrastive': '64.9 86.1 71.0 58.1 74.5',
        'cid_hrnet-w32_coco-35e_no-contrastive': '65.3 86.4 71.4 59.3 74.8',
        'cid_hrnet-w32_coco-35e_spatial': '64.6 86.0 70.8 58.5 74.1',
        'cid_hrnet-w32_coco-35e_channel': '65.3 85.9 71.9 59.1 75.3',
        'cid_hrnet-w32_coco-35e': '66.0 86.7 72.3 59.8 76.0',
    },
    2: {
        'cid_hrnet-w32_coco-35e_gfd-8': '62.8 85.1 68.2 56.2 72.8',
        'cid_hrnet-w32_coco-35e_gfd-16': '64.4 86.1 70.4 58.5 74.1',
        'cid_hrnet-w32_coco-35e': '66.0 86.7 72.3 59.8 76.0',
        'cid_hrnet-w32_coco-35e_gfd-64': '66.1 86.8 72.6 60.0 76.0',
    },
    3: {'cid_hrnet-w32_coco-testdev': '3.8 29.4 43.17 21.0 68.9'},
    4: {
        'cid_hrnet-w32_coco-testdev': '21.0 68.9 89.9 76.0 63.2 77.7 74.6',
        'cid_hrnet-w48_coco-testdev': '12.5 70.7 90.3 77.9 66.3 77.8 76.4',
    },
    5: {
        'cid_hrnet-w32_crowdpose': '71.3 90.6 76.6 77.4 72.1 63.9',
        'cid_hrnet-w48_crowdpose': '72.3 90.8 77.9 78.7 73.0 64.8',
    },
    6: {  # one row of the table for each backbone
        'cid_hrnet-w32_ochuman': '57.5',
        'cid_hrnet-w32_coco_ochuman-val': '44.9',
        'cid_hrnet-w32_coco_ochuman-test': '44.0',
        'cid_hrnet-w48_ochuman': '58.6',
        'cid_hrnet-w48_coco_ochuman-val': '46.1',
        'cid_hrnet-w48_coco_ochuman-test': '45.0',
    },
}
