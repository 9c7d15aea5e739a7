# SPDX-License-Identifier: Apache-2.0
"""Makes rand-augment.json: RandAugment as torchvision's transforms.RandAugment does it on Pillow's images, with the random numbers of
make_augment_golden.py. The changes themselves are Pillow's; which one is drawn, and how strong, is written down here from
torchvision's _augmentation_space and _apply_op.

    python3 -m pip install pillow==12.3.0 numpy scikit-image==0.26.0
    python3 test/golden/make_rand_augment_golden.py

Images are [n, h, w, c], already normalised; `bytes` are what they were, `expected` what they become, in base64.
"""

import base64
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from make_augment_golden import Numbers

HERE = Path(__file__).parent
NAMES = [
    "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness",
    "Posterize", "Solarize", "AutoContrast", "Equalize",
]  # fmt: skip


def affine(image, matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def change(image, name, sign, share):
    width, height = image.size
    if name == "ShearX":
        return affine(image, [1, sign * 0.3 * share, 0, 0, 1, 0])
    if name == "ShearY":
        return affine(image, [1, 0, 0, sign * 0.3 * share, 1, 0])
    if name == "TranslateX":
        return affine(image, [1, 0, -int(sign * 150 / 331 * width * share), 0, 1, 0])
    if name == "TranslateY":
        return affine(image, [1, 0, 0, 0, 1, -int(sign * 150 / 331 * height * share)])
    if name == "Rotate":
        return image.rotate(sign * 30 * share, Image.Resampling.NEAREST)
    if name in ("Brightness", "Color", "Contrast", "Sharpness"):
        return getattr(ImageEnhance, name)(image).enhance(1 + sign * 0.9 * share)
    if name == "Posterize":
        return ImageOps.posterize(image, 8 - round(4 * share))
    if name == "Solarize":
        return ImageOps.solarize(image, 255 - 255 * share)
    if name == "AutoContrast":
        return ImageOps.autocontrast(image)
    if name == "Equalize":
        return ImageOps.equalize(image)
    return image


def rand_augment(pixels, numbers, changes, magnitude, drawn):
    grey = pixels.shape[-1] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels)
    for _ in range(changes):
        name = NAMES[numbers.below(len(NAMES))]
        sign = -1 if numbers.uniform() < 0.5 else 1
        image = change(image, name, sign, magnitude / 30)
        drawn.add(name)
    result = np.asarray(image)
    return result[..., None] if grey else result


def picture(random, size, channels):
    """Smooth, with noise, and not of the full range, so that each change shows."""
    y, x = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]), indexing="ij")
    planes = [np.sin(random.uniform(1, 6) * x + random.uniform(1, 6) * y + random.uniform(0, 6)) for _ in range(channels)]
    pixels = 120 + random.uniform(30, 90) * np.stack(planes, axis=-1) + random.uniform(-12, 12, (*size, channels))
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def main():
    random = np.random.default_rng(11)
    cases = []
    for options, channels, size, count in [
        ({"changes": 1, "magnitude": 9}, 3, (9, 8), 80),
        ({"changes": 1, "magnitude": 22}, 3, (8, 11), 80),
        ({"changes": 1, "magnitude": 30}, 1, (10, 9), 60),
        ({"changes": 2}, 3, (33, 32), 6),
        ({"changes": 5, "magnitude": 7.5}, 3, (12, 13), 20),
        ({}, 1, (28, 28), 4),
    ]:
        seed, stream, epoch = int(random.integers(-(2**50), 2**50)), 16 + len(cases), int(random.integers(0, 4))
        mean, std = random.uniform(0.3, 0.6, channels), random.uniform(0.2, 0.4, channels)
        images = np.stack([picture(random, size, channels) for _ in range(count)])
        indices = [int(i) for i in random.integers(0, 2**31, count)]
        drawn = set()
        results = [
            rand_augment(image, Numbers(seed, stream, index, epoch), options.get("changes", 2), options.get("magnitude", 9), drawn)
            for image, index in zip(images, indices)
        ]
        assert count < 60 or len(drawn) == len(NAMES), "every change should be drawn: choose another seed"
        cases.append(
            {
                "step": {"kind": "randaugment", **options},
                "imageShape": [*size, channels],
                "normalization": {"mean": mean.tolist(), "std": std.tolist()},
                "key": [seed, stream, epoch],
                "indices": indices,
                "bytes": base64.b64encode(images.tobytes()).decode(),
                "expected": base64.b64encode(np.stack(results).tobytes()).decode(),
            }
        )
    text = json.dumps(cases, separators=(",", ":"))
    (HERE / "rand-augment.json").write_text(text.replace('{"step"', '\n{"step"') + "\n")


if __name__ == "__main__":
    main()
