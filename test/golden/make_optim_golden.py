# SPDX-License-Identifier: Apache-2.0
"""Makes optim.safetensors with PyTorch, in double precision: two parameters along 20 steps of every optimizer, with every
option, under every schedule, and with clipped gradients. See make_golden.py for what to install.

    python3 test/golden/make_optim_golden.py

The parameters a [3, 7] and b [2] start at `start.a` and `start.b` in all cases, and have the gradients `grad.a`
[20, 3, 7] and `grad.b` [20, 2], whose first element is always 0. A case has them after each step, and what the optimizer
keeps after the 10th (`half`) and the last step (`end`), by the path into its state dict.

PyTorch has no Lion: here it is written down from algorithm 2 of its paper (Chen et al. 2023, arXiv 2302.06675), and was
compared with that of Keras.
"""

import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from make_golden import save, values

STEPS = 20
FURTHER = 30  # steps whose rates are given, where the schedule has no end


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, "maximize": maximize})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for p in group["params"]:
                g = -p.grad if group["maximize"] else p.grad
                state = self.state[p]
                m = state.get("exp_avg", torch.zeros_like(p))
                update = torch.sign(beta1 * m + (1 - beta1) * g)
                p.sub_(lr * (update + group["weight_decay"] * p))
                state["exp_avg"] = beta2 * m + (1 - beta2) * g


KINDS = {"Lion": Lion, **{kind: getattr(torch.optim, kind) for kind in ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"]}}


def snake(options):
    """Our names of options as PyTorch's."""
    return {"".join(f"_{c.lower()}" if c.isupper() else c for c in key): value for key, value in options.items()}


class Run:
    """Two parameters in the care of an optimizer."""

    def __init__(self, shared, kind, options, groups=None):
        self.shared = shared
        self.a, self.b = (nn.Parameter(shared[f"start.{name}"].clone()) for name in "ab")
        self.step_number = 0
        params = [self.a, self.b]
        if groups:
            params = [{"params": [p], **snake(group)} for p, group in zip(params, groups)]
        self.optimizer = KINDS[kind](params, **snake(options))

    def step(self, before=lambda params: None):
        for name in "ab":
            getattr(self, name).grad = self.shared[f"grad.{name}"][self.step_number].clone()
        before([self.a, self.b])
        self.optimizer.step()
        self.step_number += 1

    def state(self):
        flat = {}
        for i, kept in self.optimizer.state_dict()["state"].items():
            for key, value in kept.items():
                if value is not None:
                    flat[f"state.{i}.{key}"] = torch.as_tensor(value, dtype=torch.float64).clone()
        return flat


def follow(tensors, name, run, steps=STEPS, before=lambda params: None, after=lambda: None):
    path = {"a": [], "b": []}
    for step in range(steps):
        run.step(before)
        after()
        for key in path:
            path[key].append(getattr(run, key).detach().clone())
        if step + 1 in (STEPS // 2, STEPS):
            half = "half" if step + 1 == STEPS // 2 else "end"
            tensors.update({f"{name}.{half}.{key}": value for key, value in run.state().items()})
    tensors.update({f"{name}.{key}": torch.stack(points) for key, points in path.items()})


def optimizers(shared, tensors):
    cases = []
    two = [{"lr": 0.03}, {"lr": 0.2, "weightDecay": 0.05}]
    for kind, options, groups in [
        ("SGD", {}, None),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, None),
        ("SGD", {"lr": 0.1, "weightDecay": 0.2}, None),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01}, None),
        ("SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}, None),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 5e-4, "maximize": True}, None),
        ("SGD", {"lr": 0.1, "momentum": 0.9}, [{"momentum": 0.5, "nesterov": True}, {"lr": 0.02, "dampening": 0.1}]),
        ("Adam", {}, None),
        ("Adam", {"lr": 0.05, "betas": [0.8, 0.99], "eps": 1e-3, "weightDecay": 0.1}, None),
        ("Adam", {"lr": 0.05, "amsgrad": True}, None),
        ("Adam", {"lr": 0.05, "betas": [0.5, 0.6], "amsgrad": True, "weightDecay": 0.1, "maximize": True}, None),
        ("Adam", {"lr": 0.01}, [{"betas": [0.7, 0.9]}, {"lr": 0.1, "weightDecay": 0.2, "amsgrad": True}]),
        ("AdamW", {}, None),
        ("AdamW", {"lr": 0.05, "betas": [0.5, 0.9], "weightDecay": 0.3}, None),
        ("AdamW", {"lr": 0.05, "betas": [0.5, 0.6], "amsgrad": True, "eps": 1e-2, "maximize": True}, None),
        ("AdamW", {}, two),
        ("RMSprop", {}, None),
        ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "weightDecay": 0.1}, None),
        ("RMSprop", {"momentum": 0.9, "maximize": True}, None),
        ("RMSprop", {"centered": True}, None),
        ("RMSprop", {"centered": True, "momentum": 0.5, "alpha": 0.9, "weightDecay": 0.01}, None),
        ("RMSprop", {"alpha": 0.9}, [{"momentum": 0.7}, {"centered": True, "weightDecay": 0.1}]),
        ("Adagrad", {}, None),
        ("Adagrad", {"lr": 0.1, "lrDecay": 0.2, "weightDecay": 0.1, "eps": 1e-3}, None),
        ("Adagrad", {"lr": 0.1, "initialAccumulatorValue": 0.5, "maximize": True}, None),
        ("Adagrad", {"initialAccumulatorValue": 0.1}, two),
        ("Lion", {}, None),
        ("Lion", {"lr": 0.01, "betas": [0.7, 0.8], "weightDecay": 0.5}, None),
        ("Lion", {"lr": 0.01, "maximize": True}, two),
    ]:
        name = f"{len(cases)}.{kind}"
        follow(tensors, name, Run(shared, kind, options, groups))
        cases.append({"name": name, "kind": kind, "options": options, "groups": groups})
    return cases


def clipping(shared, tensors):
    cases = []
    for kind, options, clip in [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "maximize": True}, {"clipGradNorm": 2.0}),
        ("SGD", {"lr": 0.1}, {"clipGradNorm": 5.0}),  # above some of the norms
        ("AdamW", {"lr": 0.05}, {"clipGradNorm": 1e-3}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.1}, {"clipGradValue": 0.5}),
        ("RMSprop", {"momentum": 0.9}, {"clipGradValue": 0.1}),
    ]:
        name = f"clip{len(cases)}.{kind}"
        norms = []

        def before(params):
            if "clipGradNorm" in clip:
                norms.append(nn.utils.clip_grad_norm_(params, clip["clipGradNorm"]))
            else:
                nn.utils.clip_grad_value_(params, clip["clipGradValue"])

        follow(tensors, name, Run(shared, kind, options), before=before)
        if norms:
            tensors[f"{name}.norms"] = torch.stack(norms)
        cases.append({"name": name, "kind": kind, "options": options, "clip": clip})
    return cases


BASES = [0.1, 0.02]


def make_schedule(kind, options, optimizer):
    if kind == "sequentialLR":
        parts = [make_schedule(part, its, optimizer) for part, its in options["schedules"]]
        return lr_scheduler.SequentialLR(optimizer, parts, options["milestones"])
    rename = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}
    options = {rename.get(key, key): value for key, value in options.items()}
    plain = {key: value for key, value in options.items() if key.startswith("T_")}
    named = {**plain, **snake({key: value for key, value in options.items() if key not in plain})}
    if kind == "oneCycleLR":
        named = {"max_lr": BASES, **named}
    return getattr(lr_scheduler, kind[0].upper() + kind[1:])(optimizer, **named)


def schedules(shared, tensors):
    cases = []
    warm = [["linearLR", {"startFactor": 0.1, "totalIters": 4}], ["cosineAnnealingLR", {"tMax": 16}]]
    three = [["linearLR", {}], ["stepLR", {"stepSize": 3, "gamma": 0.5}], ["exponentialLR", {"gamma": 0.8}]]
    for kind, options, optimizer in [
        ("stepLR", {"stepSize": 7}, "SGD"),
        ("stepLR", {"stepSize": 3, "gamma": 0.7}, "Adam"),
        ("multiStepLR", {"milestones": [4, 5, 12]}, "SGD"),
        ("multiStepLR", {"milestones": [1, 18], "gamma": 0.5}, "SGD"),
        ("exponentialLR", {"gamma": 0.9}, "SGD"),
        ("polynomialLR", {}, "SGD"),
        ("polynomialLR", {"totalIters": 15, "power": 2.5}, "SGD"),
        ("linearLR", {}, "SGD"),
        ("linearLR", {"startFactor": 1.0, "endFactor": 0.0, "totalIters": 18}, "SGD"),
        ("cosineAnnealingLR", {"tMax": 20}, "SGD"),
        ("cosineAnnealingLR", {"tMax": 8, "etaMin": 0.01}, "SGD"),
        ("cosineAnnealingWarmRestarts", {"t0": 6}, "SGD"),
        ("cosineAnnealingWarmRestarts", {"t0": 3, "tMult": 2, "etaMin": 0.005}, "SGD"),
        ("oneCycleLR", {"totalSteps": 20}, "SGD"),
        ("oneCycleLR", {"totalSteps": 20}, "AdamW"),
        ("oneCycleLR", {"totalSteps": 23, "maxLr": 0.3, "annealStrategy": "linear", "pctStart": 0.4}, "SGD"),
        ("oneCycleLR", {"totalSteps": 20, "threePhase": True, "divFactor": 10, "finalDivFactor": 100}, "SGD"),
        ("oneCycleLR", {"totalSteps": 21, "baseMomentum": 0.5, "maxMomentum": 0.8}, "RMSprop"),
        ("oneCycleLR", {"totalSteps": 20, "cycleMomentum": False}, "Adagrad"),
        ("sequentialLR", {"schedules": warm, "milestones": [4]}, "SGD"),
        ("sequentialLR", {"schedules": three, "milestones": [5, 12]}, "Lion"),
    ]:
        name = f"schedule{len(cases)}.{kind}"
        momentum = {"momentum": 0.9} if optimizer in ("SGD", "RMSprop") else {}
        run = Run(shared, optimizer, momentum, [{"lr": lr} for lr in BASES])
        scheduler = make_schedule(kind, options, run.optimizer)
        rates, momenta = [], []

        def note():
            groups = run.optimizer.param_groups
            rates.append([group["lr"] for group in groups])
            momenta.append([group["betas"][0] if "betas" in group else group.get("momentum", 0) for group in groups])

        def after():
            scheduler.step()
            note()

        note()
        follow(tensors, name, run, after=after)
        for _ in range(0 if kind == "oneCycleLR" else FURTHER - STEPS):
            run.optimizer.step = lambda: None
            after()
        steps = STEPS if kind == "oneCycleLR" else FURTHER
        tensors[f"{name}.lr"] = torch.tensor(rates[:steps], dtype=torch.float64)
        tensors[f"{name}.momentum"] = torch.tensor(momenta[:steps], dtype=torch.float64)
        case = {"name": name, "kind": kind, "options": options, "optimizer": optimizer, "momentum": momentum}
        cases.append(case)
    return cases


def plateaus(tensors):
    cases = []
    metrics = [1.0, 0.9, 0.89999, 0.9, 0.95, float("nan"), 0.9, 0.91, 0.9, 0.92, 0.5, 0.499999, 0.6, 0.7, 0.45, 0.46]
    metrics += [0.47, 0.46, 0.45, 0.4499, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44, 0.44]
    for options in [
        {},
        {"patience": 2},
        {"patience": 1, "factor": 0.5, "cooldown": 2},
        {"patience": 0, "threshold": 0.1, "minLr": 0.005},
        {"patience": 2, "threshold": 0.02, "thresholdMode": "abs"},
        {"mode": "max", "patience": 1, "factor": 0.8},
        {"mode": "max", "patience": 3, "threshold": 0.05, "thresholdMode": "abs", "eps": 0.02},
    ]:
        optimizer = torch.optim.SGD([{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in BASES])
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **snake(options))
        name = f"plateau{len(cases)}"
        rates = []
        for metric in metrics:
            scheduler.step(metric)
            rates.append([group["lr"] for group in optimizer.param_groups])
        tensors[f"{name}.lr"] = torch.tensor(rates, dtype=torch.float64)
        cases.append({"name": name, "options": options})
    tensors["plateau.metrics"] = torch.tensor(metrics, dtype=torch.float64)
    return cases


def averages(shared, tensors):
    cases = []
    for decay in [0.3, 0.9]:
        run = Run(shared, "SGD", {"lr": 0.1})
        averaged = AveragedModel(nn.ParameterList([run.a, run.b]), multi_avg_fn=get_ema_multi_avg_fn(decay))
        path = {"a": [], "b": []}

        def after():
            averaged.update_parameters(nn.ParameterList([run.a, run.b]))
            for key, parameter in zip("ab", averaged.parameters()):
                path[key].append(parameter.detach().clone())

        name = f"ema{len(cases)}"
        follow(tensors, f"{name}.weights", run, after=after)
        tensors.update({f"{name}.{key}": torch.stack(points) for key, points in path.items()})
        cases.append({"name": name, "decay": decay})
    return cases


def main():
    torch.manual_seed(20261125)
    shared = {"start.a": values(3, 7), "start.b": values(2)}
    shared["grad.a"], shared["grad.b"] = values(STEPS, 3, 7), values(STEPS, 2)
    shared["grad.a"][:, 0, 0] = 0
    tensors = dict(shared)
    cases = {
        "optimizers": optimizers(shared, tensors),
        "clipping": clipping(shared, tensors),
        "schedules": schedules(shared, tensors),
        "plateaus": plateaus(tensors),
        "averages": averages(shared, tensors),
    }
    save("optim.safetensors", tensors, cases)


if __name__ == "__main__":
    main()
