# Inputs whose short side has 640 px: HRNet-W48 in table 4 of the paper. The data sets' own pipelines have 512.
# A base cannot change the base beside it, so a config puts the size into its steps: see cid_hrnet-w48_coco.py.
input_size = (640, 640)
