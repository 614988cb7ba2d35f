"""Paper 000 as a reader would write it down in an afternoon: PixelLib, dlib, OpenCV, one process.

Run as `python recipe.py WEIGHTS PREDICTOR VIDEO...`; prints the seconds that each video took and the persons'
share of each picture. Nothing here is ours: it is what the pipeline is measured against.
"""

import json
import os
import sys
import time

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3")

import cv2
import dlib
import numpy as np
from pixellib.instance import instance_segmentation

POINTS = [30, 8, 36, 45, 48, 54]  # nose tip, chin, eye corners, mouth corners of dlib's 68
MODEL = np.array(
    [(0, 0, 0), (0, -330, -65), (-225, 170, -135), (225, 170, -135), (-150, -150, -125), (150, -150, -125)],
    float,
)


def read_frames(video):
    capture, frames = cv2.VideoCapture(video), []
    while True:
        read, frame = capture.read()
        if not read:
            break
        frames.append(frame)
    return [frames[int((k + 0.5) * len(frames) / 5)] for k in range(5)]


def segmented(segmenter, persons, frame):
    result, _ = segmenter.segmentFrame(frame, segment_target_classes=persons)
    masks = np.asarray(result["masks"])
    mask = masks.any(axis=2) if masks.ndim == 3 and masks.shape[2] else np.zeros(frame.shape[:2], bool)
    return np.where(mask[..., None], frame, 0).astype(np.uint8), mask


def numbers(detector, predictor, frame):
    gray, row = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.zeros(29)
    camera = np.array(
        [[frame.shape[1], 0, frame.shape[1] / 2], [0, frame.shape[1], frame.shape[0] / 2], [0, 0, 1.0]]
    )
    for slot, box in enumerate(detector(gray, 1)[:2]):
        shape = predictor(gray, box)
        points = np.array([(shape.part(k).x, shape.part(k).y) for k in POINTS], float)
        _, turn, _ = cv2.solvePnP(MODEL, points, camera, np.zeros(4))
        angles = cv2.RQDecomp3x3(cv2.Rodrigues(turn)[0])[0]
        row[12 * slot : 12 * slot + 12] = points.ravel()
        row[24 + 2 * slot : 26 + 2 * slot] = angles[1], angles[0]
    row[28] = np.hypot(row[0] - row[12], row[1] - row[13])
    return row


def main(weights, predictor_file, *videos):
    segmenter = instance_segmentation()
    segmenter.load_model(weights)
    segmenter.model.keras_model.load_weights(weights, by_name=True)  # load_model leaves them random
    persons = segmenter.select_target_classes(person=True)
    detector, predictor = dlib.get_frontal_face_detector(), dlib.shape_predictor(predictor_file)
    seconds, shares = [], []
    for video in videos:
        started = time.perf_counter()
        pictures = [segmented(segmenter, persons, frame) for frame in read_frames(video)]
        np.stack([numbers(detector, predictor, picture) for picture, _ in pictures])
        seconds.append(time.perf_counter() - started)
        shares.append([float(mask.mean()) for _, mask in pictures])
    print(json.dumps({"seconds": seconds, "mask_shares": shares}))


if __name__ == "__main__":
    main(*sys.argv[1:])
