# SPDX-License-Identifier: Apache-2.0
"""Makes pooling.safetensors with PyTorch, in double precision: poolings with outputs rounded up, norms, poolings to a
given size, of sequences and in pyramids, and images in another size, forward and backward, in PyTorch's layouts. See
make_golden.py for what to install.

    python3 test/golden/make_pooling_golden.py
"""

import torch
from torch.nn import functional as F

from make_golden import save, values


def pyramid(input, levels, pool):
    """Each level as [h, w, c], because flattened features are in the order of this library."""
    return torch.cat([pool(input, level).permute(0, 2, 3, 1).flatten(1) for level in levels], 1)


def main():
    tensors, cases = {}, []

    def add(op, options, input, run):
        name = f"{len(cases)}.{op}"
        input.requires_grad_()
        output = run(input)
        grad = values(*output.shape)
        output.backward(grad)
        for key, value in {"input": input, "input.grad": input.grad, "output": output, "output.grad": grad}.items():
            tensors[f"{name}.{key}"] = value
        cases.append({"name": name, "op": op, "options": options})

    # image, kernel, stride, padding: a last window beyond the image, beyond the padding, left out, and one only
    for shape, kernel, stride, padding in [
        ((2, 3, 8, 7), (3, 3), (2, 2), (0, 0)),
        ((1, 9, 6, 5), (3, 2), (2, 3), (1, 1)),
        ((1, 2, 5, 6), (2, 2), (2, 4), (1, 0)),
        ((2, 1, 1, 2), (2, 3), (2, 2), (0, 0)),
        ((1, 17, 7, 9), (4, 5), (3, 1), (2, 2)),
    ]:
        options = {"kernelSize": kernel, "stride": stride, "padding": padding, "ceilMode": True}
        add(
            "maxPool2d",
            options,
            values(*shape),
            lambda x, k=kernel, s=stride, p=padding: F.max_pool2d(x, k, s, p, ceil_mode=True),
        )
        for counted in (True, False):
            add(
                "avgPool2d",
                {**options, "countIncludePad": counted},
                values(*shape),
                lambda x, k=kernel, s=stride, p=padding, c=counted: F.avg_pool2d(x, k, s, p, True, c),
            )

    # PyTorch's norm is that of x, not of |x|: for odd ones x has to be positive
    for norm in (1, 2, 3, 4):
        for kernel, stride in [((2, 2), (2, 2)), ((3, 2), (1, 2))]:
            x = values(2, 3, 6, 5)
            add(
                "lpPool2d",
                {"kernelSize": kernel, "stride": stride, "normType": norm},
                x if norm % 2 == 0 else x.abs() + 0.25,
                lambda x, n=norm, k=kernel, s=stride: F.lp_pool2d(x, float(n), k, s),
            )

    for shape, size in [
        ((2, 3, 8, 6), [4, 3]),
        ((1, 9, 7, 10), [3, 4]),
        ((2, 2, 5, 3), [7, 5]),
        ((1, 17, 6, 5), [1, 1]),
        ((1, 2, 6, 7), [None, 3]),
        ((1, 1, 13, 11), [6, 6]),
    ]:
        add("adaptiveMaxPool2d", {"size": size}, values(*shape), lambda x, s=size: F.adaptive_max_pool2d(x, s))
        add("adaptiveAvgPool2d", {"size": size}, values(*shape), lambda x, s=size: F.adaptive_avg_pool2d(x, s))
    add("globalMaxPool2d", {}, values(2, 5, 6, 4), lambda x: F.adaptive_max_pool2d(x, 1).flatten(1))
    add(
        "spatialPyramidPool2d",
        {"levels": [1, 2, 4]},
        values(2, 3, 9, 7),
        lambda x: pyramid(x, (1, 2, 4), F.adaptive_max_pool2d),
    )
    add(
        "spatialPyramidPool2d",
        {"levels": [3, 1], "mode": "avg"},
        values(1, 2, 2, 5),
        lambda x: pyramid(x, (3, 1), F.adaptive_avg_pool2d),
    )

    # sequences [n, c, l]
    for length, kernel, stride, padding, ceil in [(9, 3, 2, 1, False), (8, 3, 2, 0, True), (5, 5, 1, 2, False)]:
        options = {"kernelSize": kernel, "stride": stride, "padding": padding, "ceilMode": ceil}
        arguments = (kernel, stride, padding)
        add(
            "maxPool1d",
            options,
            values(2, 3, length),
            lambda x, a=arguments, c=ceil: F.max_pool1d(x, *a, ceil_mode=c),
        )
        add(
            "avgPool1d",
            {**options, "countIncludePad": False},
            values(2, 3, length),
            lambda x, a=arguments, c=ceil: F.avg_pool1d(x, *a, c, False),
        )
    add("lpPool1d", {"kernelSize": 2, "normType": 4}, values(2, 3, 8), lambda x: F.lp_pool1d(x, 4.0, 2))
    add("adaptiveMaxPool1d", {"size": 4}, values(2, 3, 7), lambda x: F.adaptive_max_pool1d(x, 4))
    add("adaptiveAvgPool1d", {"size": 4}, values(2, 3, 7), lambda x: F.adaptive_avg_pool1d(x, 4))

    # image, size or factor
    for shape, size, factor in [
        ((2, 3, 4, 5), None, (2, 3)),
        ((1, 9, 5, 6), (8, 4), None),
        ((1, 2, 6, 5), None, (1.5, 0.6)),
        ((1, 17, 3, 1), (7, 3), None),
        ((2, 1, 4, 4), (1, 9), None),
        ((1, 1, 5, 7), (5, 7), None),
    ]:
        given = {"size": size} if factor is None else {"scaleFactor": factor}
        for options in [
            {"mode": "nearest"},
            {"mode": "bilinear", "alignCorners": False},
            {"mode": "bilinear", "alignCorners": True},
        ]:
            add(
                "upsample",
                {**given, **options},
                values(*shape),
                lambda x, s=size, f=factor, o=options: F.interpolate(
                    x, s, f, mode=o["mode"], align_corners=o.get("alignCorners")
                ),
            )
    save("pooling.safetensors", tensors, cases)


if __name__ == "__main__":
    torch.manual_seed(20261123)
    main()
