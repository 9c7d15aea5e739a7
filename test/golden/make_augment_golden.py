# SPDX-License-Identifier: Apache-2.0
"""Makes augment.json with numpy and scikit-image, in double precision: random changes of small images, from random numbers that
are written down here once more (Philox4x32-10, in Python's integers).

    python3 -m pip install scikit-image==0.26.0
    python3 test/golden/make_augment_golden.py

Images are [n, h, w, c], already normalised. `indices` are their places in the data set; `key` is seed, stream and epoch.
"""

import json
import math
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.color import hsv2rgb, rgb2hsv
from skimage.transform import AffineTransform, warp

HERE = Path(__file__).parent
MASK = 0xFFFFFFFF


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


class Numbers:
    """The uniform numbers of one image, in 24 bits."""

    def __init__(self, seed, stream, index, epoch):
        self.key = (seed & MASK, (seed >> 32) & MASK)
        self.rest = (index, stream, epoch)
        self.words = []
        self.block = 0

    def uniform(self):
        if not self.words:
            self.words = philox((self.block, *self.rest), self.key)
            self.block += 1
        return (self.words.pop(0) >> 8) / 2**24

    def between(self, low, high):
        return low + (high - low) * self.uniform()

    def below(self, n):
        return int(self.uniform() * n)


MODES = {"fill": "constant", "reflect": "reflect", "edge": "edge"}


def channelwise(image, fill, change):
    return np.stack([change(image[..., c], fill[c]) for c in range(image.shape[-1])], axis=-1)


def flip(image, numbers, first, epoch, p=0.5, alternate=False, axis="horizontal"):
    if alternate:
        flips = (first.uniform() < 0.5) != (epoch % 2 == 1)
    else:
        flips = numbers.uniform() < p
    return np.flip(image, 0 if axis == "vertical" else 1) if flips else image


def crop(image, numbers, fill, padding, border="fill"):
    dy, dx = numbers.below(2 * padding + 1), numbers.below(2 * padding + 1)

    def change(plane, colour):
        more = {"constant_values": colour} if border == "fill" else {}
        padded = np.pad(plane, padding, MODES[border], **more)
        return padded[dy : dy + plane.shape[0], dx : dx + plane.shape[1]]

    return channelwise(image, fill, change)


def cutout(image, numbers, fill, size, p=1.0):
    cut = numbers.uniform() < p
    top, left = numbers.below(image.shape[0]) - size // 2, numbers.below(image.shape[1]) - size // 2
    result = image.copy()
    if cut:
        result[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = fill
    return result


def affine(image, numbers, fill, rotate=0, translate=(0, 0), scale=(1, 1), shear=(0, 0), border="fill"):
    h, w, _ = image.shape
    angle = numbers.between(-math.radians(rotate), math.radians(rotate))
    down = numbers.between(-translate[0], translate[0]) * h
    right = numbers.between(-translate[1], translate[1]) * w
    factor = numbers.between(*scale)
    shear_x = math.tan(numbers.between(-math.radians(shear[1]), math.radians(shear[1])))
    shear_y = math.tan(numbers.between(-math.radians(shear[0]), math.radians(shear[0])))
    # What is done to the image, in skimage's order (x, y): shear, scale, rotation about the middle, shift.
    middle = np.array([(w - 1) / 2, (h - 1) / 2])
    matrix = np.eye(3)
    for step in [
        AffineTransform(translation=-middle),
        AffineTransform(np.array([[1, shear_x, 0], [shear_y, 1, 0], [0, 0, 1.0]])),
        AffineTransform(scale=(factor, factor)),
        AffineTransform(rotation=angle),
        AffineTransform(translation=middle + [right, down]),
    ]:
        matrix = step.params @ matrix
    transform = AffineTransform(matrix)
    return channelwise(
        image, fill, lambda plane, colour: warp(plane, transform.inverse, order=1, mode=MODES[border], cval=colour, clip=False)
    )


def elastic(image, numbers, fill, alpha, sigma, border="fill"):
    h, w, _ = image.shape
    noise = np.array([numbers.between(-1, 1) for _ in range(2 * h * w)]).reshape(2, h, w)
    radius = math.ceil(3 * sigma)
    dx, dy = (alpha * gaussian_filter(field, sigma, mode="constant", radius=radius) for field in noise)
    y, x = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
    places = np.stack([y + dy, x + dx])
    return channelwise(
        image, fill, lambda plane, colour: warp(plane, places, order=1, mode=MODES[border], cval=colour, clip=False)
    )


def jitter(image, numbers, mean, std, brightness=0, contrast=0, saturation=0, hue=0):
    factors = [numbers.between(max(0, 1 - x), 1 + x) for x in (brightness, contrast, saturation)]

    turn = numbers.between(-hue, hue)

    def grey(pixels):
        return pixels @ [0.299, 0.587, 0.114] if pixels.shape[-1] == 3 else pixels.mean(axis=-1)

    pixels = np.clip((image * std + mean) * factors[0], 0, 1)
    average = grey(pixels).mean()
    pixels = np.clip(average + factors[1] * (pixels - average), 0, 1)
    greys = grey(pixels)[..., None]
    pixels = np.clip(greys + factors[2] * (pixels - greys), 0, 1)
    if hue > 0:
        hsv = rgb2hsv(pixels)
        hsv[..., 0] = (hsv[..., 0] + turn) % 1
        pixels = hsv2rgb(hsv)
    return (pixels - mean) / std


def mix_of(numbers, h, w, kind, alpha, p=1.0):
    """The share of the image itself, and the box (top, bottom, left, right) that comes from the other one."""
    mixed = numbers.uniform() < p
    y, x = numbers.below(h), numbers.below(w)
    while True:
        a, b = numbers.uniform() ** (1 / alpha), numbers.uniform() ** (1 / alpha)
        if 0 < a + b <= 1:
            break
    share = a / (a + b)
    if not mixed:
        return 1.0, None
    if kind == "mixup":
        return share, None
    height, width = int(h * math.sqrt(1 - share)), int(w * math.sqrt(1 - share))
    top, left = y - height // 2, x - width // 2
    box = (max(0, top), min(h, max(0, top + height)), max(0, left), min(w, max(0, left + width)))
    return 1 - (box[1] - box[0]) * (box[3] - box[2]) / (h * w), box


def mix(images, labels, classes, numbers, kind, alpha, p=1.0):
    results, targets = [], np.zeros((len(images), classes))
    for i, image in enumerate(images):
        share, box = mix_of(numbers[i], *image.shape[:2], kind, alpha, p)
        other = images[len(images) - 1 - i]
        result = image * share + other * (1 - share) if kind == "mixup" else image.copy()
        if box is not None:
            top, bottom, left, right = box
            result[top:bottom, left:right] = other[top:bottom, left:right]
        results.append(result)
        targets[i, labels[i]] += share
        targets[i, labels[len(images) - 1 - i]] += 1 - share
    return results, targets


def main():
    random = np.random.default_rng(7)
    cases = []
    for kind, options, channels, size in [
        ("flip", {}, 3, (4, 5)),
        ("flip", {"p": 0.2}, 1, (4, 5)),
        ("flip", {"alternate": True}, 3, (3, 4)),
        ("flip", {"axis": "vertical"}, 2, (5, 4)),
        ("crop", {"padding": 2}, 3, (6, 5)),
        ("crop", {"padding": 9, "fill": [0.25]}, 1, (4, 5)),
        ("crop", {"padding": 3, "border": "reflect"}, 3, (4, 5)),
        ("crop", {"padding": 6, "border": "edge"}, 2, (4, 5)),
        ("cutout", {"size": 3}, 3, (6, 7)),
        ("cutout", {"size": 4, "p": 0.5, "fill": [0.1, 0.2, 0.3]}, 3, (6, 7)),
        ("affine", {"rotate": 180}, 3, (6, 7)),
        ("affine", {"translate": [0.2, 0.4], "fill": [0.5]}, 1, (6, 7)),
        ("affine", {"scale": [0.5, 2], "border": "edge"}, 2, (7, 6)),
        ("affine", {"shear": [30, 20], "border": "reflect"}, 3, (6, 7)),
        (
            "affine",
            {"rotate": 40, "translate": [0.1, 0.1], "scale": [0.8, 1.2], "shear": [10, 10], "fill": [0, 0.5, 1]},
            3,
            (8, 7),
        ),
        ("elastic", {"alpha": 3, "sigma": 1.5}, 3, (7, 6)),
        ("elastic", {"alpha": 20, "sigma": 4, "border": "reflect"}, 1, (8, 9)),
        ("jitter", {"brightness": 0.4, "contrast": 0.5, "saturation": 0.6}, 3, (5, 4)),
        ("jitter", {"brightness": 3, "contrast": 2}, 1, (5, 4)),
        ("mixup", {"alpha": 0.2}, 3, (4, 5)),
        ("mixup", {"alpha": 2, "p": 0.6}, 1, (4, 5)),
        ("cutmix", {"alpha": 1}, 3, (7, 8)),
        ("cutmix", {"alpha": 0.5, "p": 0.7}, 2, (7, 8)),
        ("jitter", {"hue": 0.5}, 3, (6, 7)),
        ("jitter", {"brightness": 0.3, "contrast": 0.3, "saturation": 0.8, "hue": 0.1}, 3, (6, 7)),
    ]:
        count, epoch = 4 if "mix" in kind else 3, int(random.integers(0, 4))
        seed, stream = int(random.integers(-(2**50), 2**50)), 16 + len(cases)
        mean, std = random.uniform(0.3, 0.6, channels), random.uniform(0.2, 0.4, channels)
        images = (random.uniform(0, 1, (count, *size, channels)) - mean) / std
        images = images.astype(np.float32).astype(np.float64)
        indices = [int(i) for i in random.integers(0, 2**31, count)]
        own = {key: value for key, value in options.items() if key != "fill"}
        fill = options.get("fill", "mean" if kind == "cutout" else [0] * channels)
        fill = np.zeros(channels) if fill == "mean" else (np.array(fill) - mean) / std
        results, more = [], {}
        if "mix" in kind:
            labels = [0, 2, 1, 2]
            numbers = [Numbers(seed, stream, index, epoch) for index in indices]
            results, targets = mix(images, labels, 3, numbers, kind, **own)
            more = {"labels": labels, "targets": targets.ravel().tolist()}
        for image, index in [] if results else zip(images, indices):
            numbers = Numbers(seed, stream, index, epoch)
            if kind == "flip":
                result = flip(image, numbers, Numbers(seed, stream, index, 0), epoch, **own)
            elif kind == "jitter":
                result = jitter(image, numbers, mean, std, **own)
            else:
                result = {"crop": crop, "cutout": cutout, "affine": affine, "elastic": elastic}[kind](
                    image, numbers, fill, **own
                )
            results.append(result)
        changed = [not np.array_equal(image, result) for image, result in zip(images, results)]
        assert any(changed) and (kind != "flip" or not all(changed)), "a case should show both: choose another seed"
        cases.append(
            {
                "step": {"kind": kind, **options},
                "imageShape": [*size, channels],
                "normalization": {"mean": mean.tolist(), "std": std.tolist()},
                "key": [seed, stream, epoch],
                "indices": indices,
                "images": images.astype(np.float32).ravel().tolist(),
                **more,
                "expected": [round(value, 12) for value in np.stack(results).ravel().tolist()],
            }
        )
    text = json.dumps(cases, separators=(",", ":"))
    (HERE / "augment.json").write_text(text.replace('{"step"', '\n{"step"') + "\n")


if __name__ == "__main__":
    main()
