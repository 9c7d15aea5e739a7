# SPDX-License-Identifier: Apache-2.0
"""Makes losses.safetensors, the golden numbers of all losses, with PyTorch in double precision.

    python3 -m pip install torch==2.13.0 safetensors==0.8.0
    python3 test/golden/make_losses_golden.py

Each case is a loss with some of its options and reductions on small inputs: `<case>.input`, `.target`, the weights where
there are any, `.output`, the gradient that was sent back, `.output.grad`, and `.input.grad` and `.target.grad`. Images of
logits have PyTorch's layout, [n, c, h, w]. The metadata entry "golden" tells the options of each case in JSON.
"""

import itertools
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

HERE = Path(__file__).parent
REDUCTIONS = ("mean", "sum", "none")
tensors, cases = {}, []


def values(*shape):
    """Random doubles that float32 holds exactly, so that both precisions start from the same numbers."""
    return torch.randn(shape).double().float().double()


def exact(tensor):
    return tensor.float().double()


def add(op, options, run, input, target, **weights):
    """One case; `run` takes input, target and the weights by name."""
    name = f"{len(cases)}.{op}"
    input = input.clone().requires_grad_()
    if target.is_floating_point():
        target = target.clone().requires_grad_()
    output = run(input, target, **weights)
    grad = values(*output.shape)
    output.backward(grad)
    tensors[f"{name}.input"], tensors[f"{name}.input.grad"] = input, input.grad
    tensors[f"{name}.target"] = target if target.is_floating_point() else target.int()
    if target.is_floating_point():
        tensors[f"{name}.target.grad"] = target.grad
    for key, weight in weights.items():
        tensors[f"{name}.{key}"] = weight
    tensors[f"{name}.output"], tensors[f"{name}.output.grad"] = output, grad
    cases.append({"name": name, "op": op, "options": options, "weights": list(weights)})


def cross_entropy():
    shapes = itertools.cycle([(1, 2), (5, 10), (4, 3), (2, 5, 2, 3), (3, 33)])
    for reduction, smoothing, weighted, kind in itertools.product(
        REDUCTIONS, (0, 0.1), (False, True), ("labels", "default", "ignored", "soft")
    ):
        shape = next(shapes)
        classes, places = shape[1], (shape[0], *shape[2:])
        options = {"reduction": reduction, "labelSmoothing": smoothing}
        named = {"reduction": reduction, "label_smoothing": smoothing}
        if kind == "soft":
            target = exact(F.softmax(values(*shape), 1))
        else:
            target = torch.randint(classes, places)
            if kind != "labels" and target.numel() > 1:
                # some rows of the ignored label: PyTorch's own, or one of the classes
                index = -100 if kind == "default" else classes - 1
                target.view(-1)[:: 3 if target.numel() > 3 else 2] = index
                target.view(-1)[1] = 0
                if kind == "ignored":
                    options["ignoreIndex"] = named["ignore_index"] = index
        weights = {"weight": exact(torch.rand(classes).double() + 0.25)} if weighted else {}

        def run(input, target, weight=None, named=named):
            return F.cross_entropy(input, target, weight, **named)

        add("crossEntropy", options, run, 3 * values(*shape), target, **weights)


def binary_cross_entropy():
    for reduction, weighted, positive in itertools.product(
        REDUCTIONS, (None, (9,), (4, 9), (4, 1), (1,)), (False, True)
    ):
        weights = {}
        if weighted is not None:
            weights["weight"] = exact(torch.rand(weighted).double())
        if positive:
            weights["posWeight"] = exact(torch.rand(9).double() * 3)

        def run(input, target, weight=None, posWeight=None, reduction=reduction):
            return F.binary_cross_entropy_with_logits(
                input, target, weight, reduction=reduction, pos_weight=posWeight
            )

        target = exact(torch.rand(4, 9).double()) if positive else torch.randint(2, (4, 9)).double()
        add(
            "binaryCrossEntropyWithLogits",
            {"reduction": reduction},
            run,
            4 * values(4, 9),
            target,
            **weights,
        )


def numbers():
    for reduction, shape in itertools.product(REDUCTIONS, [(), (17,), (3, 2, 4, 5)]):
        for op, option, run in [
            ("mseLoss", {}, F.mse_loss),
            ("l1Loss", {}, F.l1_loss),
            *(("huberLoss", {"delta": delta}, F.huber_loss) for delta in (0.5, 1.0, 2.0)),
            *(("smoothL1Loss", {"beta": beta}, F.smooth_l1_loss) for beta in (0.0, 0.5, 1.0)),
        ]:

            def loss(input, target, run=run, option=option, reduction=reduction):
                return run(input, target, reduction=reduction, **option)

            add(op, {"reduction": reduction, **option}, loss, values(*shape), values(*shape))


def kl_div():
    for reduction, log_target in itertools.product((*REDUCTIONS, "batchmean"), (False, True)):
        target = F.log_softmax(values(6, 5), 1)
        target = exact(target if log_target else target.exp())

        def run(input, target, reduction=reduction, log_target=log_target):
            return F.kl_div(input, target, reduction=reduction, log_target=log_target)

        options = {"reduction": reduction, "logTarget": log_target}
        add("klDiv", options, run, exact(F.log_softmax(2 * values(6, 5), 1)), target)


if __name__ == "__main__":
    torch.manual_seed(20261121)
    for make in (cross_entropy, binary_cross_entropy, numbers, kl_div):
        make()
    metadata = {"golden": json.dumps({"torch": torch.__version__, "cases": cases})}
    contiguous = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    save_file(contiguous, HERE / "losses.safetensors", metadata)
    (HERE / "losses.safetensors").chmod(0o644)
    print(len(cases), "cases")
