"""A made data set in the layout on disk that a config names, and its network at a size for tests."""

from pathlib import Path

from mmengine.config import Config

from .images import coco, person, write_coco

SIDE = 64  # pixels of the network's square input
BOX = (4, 2, 52, 44)  # of the made people, in images of 64 x 48: large enough to be trained in every data set


def lay_out(cfg: Config, folder: Path) -> Config:
    """Writes the files that the config's data sets name, below ``folder``, and points the config there."""
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        dataset = loader.dataset
        root = folder / dataset.data_root
        images, ann_file = root / dataset.data_prefix.img, root / dataset.ann_file
        images.mkdir(parents=True, exist_ok=True)
        ann_file.parent.mkdir(parents=True, exist_ok=True)
        write_coco(images, annotations_of(dataset.ann_file, cfg.model.head.num_keypoints)).rename(ann_file)
        dataset.data_root = str(root)
    return cfg


def annotations_of(name: str, keypoints: int) -> dict:
    """Two images with a person each, as the data set of this annotation file describes them."""
    people = [person(number, number, BOX) for number in (1, 2)]
    for annotation in people:
        annotation.update(keypoints=annotation['keypoints'][: 3 * keypoints], num_keypoints=keypoints)
    data = coco(people, images=2)
    if 'crowdpose' in name:
        for image, annotation in zip(data['images'], people):
            image['crowdIndex'] = 0.5
            del annotation['area'], annotation['segmentation']
        data['annotations'] = people
    if 'image_info' in name:
        del data['annotations']
    return data


def shrink(cfg: Config) -> Config:
    """The network with one block a branch and small inputs; widths, keypoints and head stay the config's."""
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        for step in loader.dataset.pipeline:
            if 'input_size' in step:
                step.input_size = (SIDE, SIDE)
    cfg.model.backbone.init_cfg = None
    for stage in cfg.model.backbone.extra.values():
        stage.update(num_modules=1, num_blocks=(1,) * stage.num_branches)
    return small_loaders(cfg)


def small_loaders(cfg: Config) -> Config:
    """Two images a training batch and one a test batch, read in the process itself."""
    for loader, size in ((cfg.train_dataloader, 2), (cfg.val_dataloader, 1), (cfg.test_dataloader, 1)):
        loader.update(batch_size=size, num_workers=0, persistent_workers=False)
    return cfg
