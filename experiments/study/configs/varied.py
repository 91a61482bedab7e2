# The setting of the options: as crowd.py, with what the rules of the recipes are about. Images are turned, scaled and
# shifted in training, some people are small, and in training the keypoints of some are not labelled.
_base_ = './crowd.py'

changes = {  # of steps, by their types
    'cid_mmpose.RandomAffine': dict(rotation=30, scale=(0.75, 1.5), shift=0.2),
    'cid_mmpose.RandomMirror': dict(mirror=None),  # as the recipe says
}
train_pipeline = [dict(step, **changes.get(step.type, {})) for step in _base_.train_pipeline]
heights = (0.2, 0.9)
train_dataloader = dict(
    dataset=dict(type='cid_mmpose.PartlyLabelled', share=0.15, person_height=heights, pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(person_height=heights))
test_dataloader = val_dataloader
