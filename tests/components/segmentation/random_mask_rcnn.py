"""Makes Mask R-CNN weights that find persons in noise: random but for the last layers of its two heads.

Run as `python random_mask_rcnn.py FOLDER` with the worker's environment. FOLDER then holds mask_rcnn_coco.h5,
and expected.npz: a frame, what the network found in it before saving, and detections laid out by PixelLib.
"""

import sys
from pathlib import Path

import numpy as np

from components.segmentation.pixellib_worker import PERSON, build_model, join_persons, set_up_tensorflow

SURE = 10.0
SEED = 1  # with it the boxes cover a part of a frame at every speed; with some others, all of it


def set_last_layer(layer, chosen, others):
    """Make a layer give the same logits everywhere: `chosen` for persons, `others` else."""
    kernel, bias = layer.get_weights()
    bias[:] = others
    bias[PERSON] = chosen
    layer.set_weights([np.zeros_like(kernel), bias])


def pasted(model):
    """A person of 20 x 30 pixels at (40, 20) of 160 x 120, and a dog beside, as PixelLib lays them out."""
    side, shape = 256, (120, 160, 3)
    window = (32, 0, 224, 256)  # the frame at 256 x 192, with bars above and below
    boxes = np.array([[20, 40, 50, 60], [20, 100, 50, 120]]) * 1.6 + [32, 0, 32, 0]
    detections = np.zeros((4, 6), np.float32)
    detections[:2, :4] = (boxes - [0, 0, 1, 1]) / (side - 1)
    detections[:2, 4:] = [[PERSON, 0.9], [17, 0.9]]
    full = np.ones((4, 28, 28, 81), np.float32)
    rois, class_ids, _, masks = model.unmold_detections(detections, full, shape, (side, side, 3), window)
    return {"pasted_rois": rois, "pasted": join_persons({"class_ids": class_ids, "masks": masks}, 120, 160)}


def main(folder):
    import tensorflow as tf  # not before the worker's settings are imported

    set_up_tensorflow(1)
    tf.keras.utils.set_random_seed(SEED)
    model = build_model("rapid", 0.0)
    network = model.keras_model
    set_last_layer(network.get_layer("mrcnn_class_logits"), SURE, 0.0)
    set_last_layer(network.get_layer("mrcnn_mask"), SURE, -SURE)
    network.save_weights(str(folder / "mask_rcnn_coco.h5"))
    frame = np.random.default_rng(5).integers(0, 256, (120, 160, 3), np.uint8)
    found = model.detect([frame])[0]
    np.savez(
        folder / "expected.npz",
        frame=frame,
        rois=found["rois"],
        class_ids=found["class_ids"],
        **pasted(model),
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
