# SPDX-License-Identifier: Apache-2.0
"""TensorFlow on the CPU as a contestant: graphs (tf.function), images [n, h, w, c]; XLA as a variant if BENCH_COMPILE
is set; the runner takes the fastest variant of each task."""
import os

from protocol import Server, unsupported

THREADS = int(os.environ.get("BENCH_THREADS", "1"))


def load():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    # Graphs run their nodes in order, each on all threads; more at once would be more threads than ours has
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.random.set_seed(1)
    return TensorFlow(tf)


class TensorFlow:
    name = "tensorflow"

    def __init__(self, tf):
        self.tf = tf
        self.version = tf.__version__

    def variants(self, _task):
        return ["graph", "xla"] if os.environ.get("BENCH_COMPILE") else ["graph"]

    def prepare(self, task, variant):
        kinds = {"gemm": self.gemm, "conv": self.conv, "step": self.step, "infer": self.infer}
        if task["kind"] not in kinds:
            raise unsupported(f"no task {task['kind']}")
        body, arguments = kinds[task["kind"]](task)
        graph = self.tf.function(body, jit_compile=variant == "xla", autograph=False)
        return lambda: graph(*arguments)

    def uniform(self, *shape):
        return self.tf.random.uniform(shape, -1, 1)

    def gemm(self, task):
        tf = self.tf
        m, n, k = task["m"], task["n"], task["k"]
        of_a, of_b = task.get("transposeA", False), task.get("transposeB", False)
        a = self.uniform(*((k, m) if of_a else (m, k)))
        b = self.uniform(*((n, k) if of_b else (k, n)))
        return lambda a, b: tf.matmul(a, b, transpose_a=of_a, transpose_b=of_b), (a, b)

    def conv(self, task):
        raw = self.tf.raw_ops
        s = task["shape"]
        if s["groups"] != 1:
            raise unsupported("convolution with groups")
        x_shape = (s["n"], s["size"], s["size"], s["inC"])
        weight_shape = (s["kernel"], s["kernel"], s["inC"], s["outC"])
        x, weight = self.uniform(*x_shape), self.uniform(*weight_shape)
        dy = self.uniform(s["n"], s["outSize"], s["outSize"], s["outC"])
        options = {
            "strides": [1, s["stride"], s["stride"], 1],
            "padding": "EXPLICIT",
            "explicit_paddings": [0, 0, *[s["padding"]] * 4, 0, 0],
        }
        passes = {
            "forward": (lambda x, w: raw.Conv2D(input=x, filter=w, **options), (x, weight)),
            "grad_input": (
                lambda w, dy: raw.Conv2DBackpropInput(input_sizes=x_shape, filter=w, out_backprop=dy, **options),
                (weight, dy),
            ),
            "grad_weight": (
                lambda x, dy: raw.Conv2DBackpropFilter(input=x, filter_sizes=weight_shape, out_backprop=dy, **options),
                (x, dy),
            ),
        }
        return passes[task["pass"]]

    def layers(self, net):
        """The variables of the net, and its forward pass."""
        tf = self.tf
        height, width, channels = net["input"]
        features = None
        variables, calls = [], []

        def parameters(shape, fan_in):
            weight = tf.Variable(tf.random.uniform(shape, -1, 1) * fan_in**-0.5)
            bias = tf.Variable(tf.zeros(shape[-1:]))
            variables.extend([weight, bias])
            return weight, bias

        for kind, *numbers in net["layers"]:
            if kind == "conv":
                out, kernel, padding = numbers
                weight, bias = parameters((kernel, kernel, channels, out), kernel * kernel * channels)
                pads = [[0, 0], [padding] * 2, [padding] * 2, [0, 0]]
                calls.append(lambda x, w=weight, b=bias, p=pads: tf.nn.bias_add(tf.nn.conv2d(x, w, 1, p), b))
                height, width = (size + 2 * padding - kernel + 1 for size in (height, width))
                channels = out
            elif kind == "relu":
                calls.append(tf.nn.relu)
            elif kind == "maxpool":
                calls.append(lambda x, k=numbers[0]: tf.nn.max_pool2d(x, k, k, "VALID"))
                height, width = height // numbers[0], width // numbers[0]
            elif kind == "flatten":
                features = height * width * channels
                calls.append(lambda x, f=features: tf.reshape(x, [-1, f]))
            elif kind == "linear":
                weight, bias = parameters((features, numbers[0]), features)
                calls.append(lambda x, w=weight, b=bias: tf.nn.bias_add(tf.matmul(x, w), b))
                features = numbers[0]
            else:
                raise unsupported(f"no layer {kind}")

        def forward(x):
            for call in calls:
                x = call(x)
            return x

        return variables, forward

    def step(self, task):
        tf = self.tf
        net, batch = task["net"], task["batch"]
        variables, forward = self.layers(net)
        velocities = [tf.Variable(tf.zeros_like(variable)) for variable in variables]
        images = self.uniform(batch, *net["input"])
        labels = tf.random.uniform((batch,), 0, net["classes"], tf.int32)

        def step(images, labels):
            with tf.GradientTape() as tape:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, forward(images))
                loss = tf.reduce_mean(losses)
            for variable, velocity, gradient in zip(variables, velocities, tape.gradient(loss, variables)):
                tf.raw_ops.ResourceApplyMomentum(
                    var=variable.handle, accum=velocity.handle, lr=0.01, grad=gradient, momentum=0.9
                )
            return loss

        return step, (images, labels)

    def infer(self, task):
        _, forward = self.layers(task["net"])
        return forward, (self.uniform(task["batch"], *task["net"]["input"]),)


Server(load).run()
