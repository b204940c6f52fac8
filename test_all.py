# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
# ruff: noqa: B905 (zip takes no strict= before Python 3.10)
"""Run all scripts, and check their mathematics against independent computations.

Run: python test_all.py, or pytest test_all.py. Options are those of unittest: -v, -f,
and the name of a class or a test, such as Gradients.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tracemalloc
import unittest
import unittest.mock
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Old versions of Matplotlib call functions that pyparsing has renamed since. That is
# not our business: these modules may warn, where any other warning is an error.
PYPARSING_USERS = (
    "matplotlib.fontconfig_pattern",
    "matplotlib._fontconfig_pattern",
    "matplotlib._mathtext",
    "pyparsing.util",
    "pyparsing",
)
for module in PYPARSING_USERS:
    name = re.escape(module) + r"\Z"
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=name)

STRICT = ["-Werror", *(f"-Wignore::DeprecationWarning:{m}" for m in PYPARSING_USERS)]

os.environ["MPLBACKEND"] = "Agg"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

# Matplotlib's first import builds a cache of fonts, and may print that it does
import matplotlib.font_manager  # noqa: E402, F401
import numpy as np  # noqa: E402

import common  # noqa: E402

SCRIPTS = (
    "01_linear_regression",
    "02_logistic_regression",
    "03_mlp_single_input",
    "04_mlp_multi_input",
)
linear, logistic, single, multi = (importlib.import_module(name) for name in SCRIPTS)
SEEDS = range(10)


def rmse(y_pred, y):
    return np.sqrt(np.mean((y_pred - y) ** 2))


def run_script(script, folder, threads, **environment):
    """Run a script as a user would, in a folder of its own, warnings as errors."""
    folder.mkdir()
    shutil.copy(HERE / f"{script}.py", folder)
    shutil.copy(HERE / "common.py", folder)
    if (
        "BLOCKED" in environment
    ):  # a folder of this name keeps the figure from being saved
        (folder / f"{script}.png").mkdir()
    env = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    if sys.platform.startswith("linux"):
        del env[
            "MPLBACKEND"
        ]  # here Matplotlib finds out by itself that nothing can show
    env |= {"PYTHONIOENCODING": "ascii:strict", "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, **environment}
    command = [sys.executable, *STRICT, f"{script}.py"]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


class Scripts(unittest.TestCase):
    """Each script runs, prints, draws, and says the same every time."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name) / "a folder"
        cls.folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            runs = [
                (s, pool.submit(run_script, s, cls.folder / s, "1")) for s in SCRIPTS
            ]
            blocked = [
                (
                    s,
                    pool.submit(
                        run_script, s, cls.folder / f"{s} again", "2", BLOCKED="1"
                    ),
                )
                for s in SCRIPTS
            ]
        cls.runs = {script: run.result() for script, run in runs}
        cls.blocked = {script: run.result() for script, run in blocked}

    def test_exit_code_and_stderr(self):
        for script, run in self.runs.items():
            with self.subTest(script):
                self.assertEqual(run.stderr, "")
                self.assertEqual(run.returncode, 0)

    def test_printed_lines(self):
        for script, run in self.runs.items():
            with self.subTest(script):
                lines = run.stdout.splitlines()
                self.assertTrue(10 <= len(lines) <= 20, run.stdout)
                losses = re.findall(r"^epoch +\d+ \| loss +(\S+)", run.stdout, re.M)
                self.assertGreaterEqual(len(losses), 5)
                self.assertLess(float(losses[-1]), 0.6 * float(losses[0]))
                self.assertIn(f"{script}.png", lines[-1])

    def test_one_picture_is_left(self):
        for script in SCRIPTS:
            with self.subTest(script):
                found = sorted(path.name for path in (self.folder / script).iterdir())
                names = [f"{script}.png", f"{script}.py", "common.py"]
                self.assertEqual(found, sorted(names))
                picture = (self.folder / script / f"{script}.png").read_bytes()
                self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
                width = int.from_bytes(picture[16:20], "big")
                self.assertTrue(1500 <= width <= 1700, width)

    def test_a_figure_that_cannot_be_saved_loses_no_result(self):
        """The second run, with two BLAS threads, must also print the same lines."""
        for script, run in self.blocked.items():
            with self.subTest(script):
                lines = self.runs[script].stdout.splitlines()
                self.assertEqual(run.stdout.splitlines(), lines[:-1])
                self.assertNotEqual(run.returncode, 0)
                self.assertIn(f"{script}.png", run.stderr.splitlines()[-1])


class Readme(unittest.TestCase):
    """Every Python block of the README that needs only NumPy runs."""

    def test_blocks(self):
        readme = (HERE / "README.md").read_text(encoding="utf-8")
        blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.M | re.S)
        blocks = [block for block in blocks if "import torch" not in block]
        self.assertTrue(blocks)
        for block in blocks:
            with self.subTest(block[:200]), tempfile.TemporaryDirectory() as folder:
                for script in (*SCRIPTS, "common"):
                    shutil.copy(HERE / f"{script}.py", folder)
                command = [sys.executable, *STRICT, "-c", block]
                run = subprocess.run(
                    command, cwd=folder, capture_output=True, text=True
                )
                self.assertEqual(run.stderr, "")
                self.assertEqual(run.returncode, 0)
                pairs = re.findall(r"hand (\S+), measured (\S+)", run.stdout)
                for hand, measured in pairs:  # in the block that checks a gradient
                    self.assertAlmostEqual(float(hand), float(measured), delta=2e-6)


def numerical_grads(loss_and_grads, params, eps=1e-5):
    """Return d(loss)/d(field) for each field, by central differences."""
    grads = []
    for i, field in enumerate(params):
        grad = np.zeros(np.shape(field))
        for index in np.ndindex(grad.shape):
            losses = []
            for sign in (1, -1):
                moved = np.array(field, dtype=float)
                moved[index] += sign * eps
                losses.append(
                    loss_and_grads(params._replace(**{params._fields[i]: moved}))[0]
                )
            grad[index] = (losses[0] - losses[1]) / (2 * eps)
        grads.append(grad)
    return grads


class Gradients(unittest.TestCase):
    """loss_and_grads returns the derivative of the loss that it returns."""

    def check(self, script, params, x, y, **options):
        def f(params):
            return script.loss_and_grads(params, x, y, **options)

        loss, grads = f(params)
        self.assertIs(type(loss), float)
        self.assertIs(type(grads), script.Params)
        for start, grad in zip(params, grads):  # floats stay floats, arrays arrays
            self.assertIs(type(grad), type(start), script.__name__)
        for name, grad, expected in zip(
            params._fields, grads, numerical_grads(f, params)
        ):
            with self.subTest(f"{script.__name__}: gradient of {name}", **options):
                self.assertEqual(np.shape(grad), expected.shape)
                error = np.linalg.norm(grad - expected) / np.linalg.norm(expected)
                self.assertLess(error, 1e-7)

    def test_linear(self):
        rng = np.random.default_rng(1)
        x, y = rng.normal(size=(2, 7))
        self.check(linear, linear.Params(0.7, -1.3), x, y)

    def test_logistic(self):
        rng = np.random.default_rng(2)
        x, y = rng.normal(size=(7, 2)), rng.uniform(size=7)
        params = logistic.Params(w=rng.normal(size=2), b=0.4)
        self.check(logistic, params, x, y)

    def network(self, script, rng, D, H, K):
        """Return params and data that keep every hidden unit off ReLU's kink."""
        shapes = ((D, H), (H,), (H, K), (K,))
        while True:
            params = script.Params(*(rng.normal(size=shape) for shape in shapes))
            x, y = rng.normal(size=(7, D)), rng.normal(size=(7, K))
            if np.min(np.abs(x @ params.W1 + params.b1)) > 1e-2:
                return params, x, y

    def test_single_input(self):
        for activation in single.ACTIVATIONS:
            params, x, y = self.network(single, np.random.default_rng(3), 1, 4, 1)
            self.check(single, params, x, y, activation=activation)

    def test_multi_input(self):
        self.check(multi, *self.network(multi, np.random.default_rng(4), 3, 4, 2))

    def test_relu_counts_the_kink_as_flat(self):
        params = multi.Params(
            np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.zeros(1)
        )
        _, grads = multi.loss_and_grads(params, np.zeros((1, 1)), np.ones((1, 1)))
        self.assertEqual(grads.b1[0], 0)


class WorkedByHand(unittest.TestCase):
    """The examples that the README works out with pencil and paper."""

    def check(self, found, expected, decimals):
        np.testing.assert_allclose(
            found, expected, rtol=0, atol=0.5001 * 10.0**-decimals
        )

    def test_linear(self):
        x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 4, 5, 9])
        params = linear.Params(w=1.0, b=-3.0)
        self.check(linear.forward(params, x), [-2, -1, 0, 1], 12)
        loss, grads = linear.loss_and_grads(params, x, y)
        self.check([loss, grads.w, grads.b], [29.5, -29.5, -10], 12)
        params, losses, path = linear.train(params, x, y, epochs=2, learning_rate=0.04)
        self.check(path[1], [2.18, -2.6], 12)
        self.check(losses[1], 3.653, 3)

    def test_logistic(self):
        x, y = np.array([[1.0, 2], [2, 1], [3, 2], [4, 1]]), np.array([0.0, 0, 1, 1])
        params = logistic.Params(w=np.array([1.0, 1]), b=-4.0)
        z, p = logistic.forward(params, x)
        self.check(z, [-1, -1, 1, 1], 12)
        self.check(p, [0.268941, 0.268941, 0.731059, 0.731059], 6)
        loss, grads = logistic.loss_and_grads(params, x, y)
        self.check([loss, *grads.w, grads.b], [0.313262, -0.268941, 0, 0], 6)

    def test_single_input(self):
        params = single.Params(
            W1=np.array([[12.3, -9.2, 6.5, -4.7]]),
            b1=np.array([5.0, -3, 0, 2]),
            W2=np.array([[-7.1], [13.2], [-4.5], [9.8]]),
            b2=np.array([-1.0]),
        )
        x, y = np.array([[2.0]]), np.array([[5.0]])
        z1, a1, y_pred = single.forward(params, x)
        self.check(z1, [[29.6, -21.4, 13, -7.4]], 12)
        self.check(a1, [[29.6, 0, 13, 0]], 12)
        self.check(y_pred, [[-269.66]], 10)
        loss, grads = single.loss_and_grads(params, x, y)
        self.check(loss, 75438.1156, 8)
        self.check(grads.W2[:, 0], [-16259.872, 0, -7141.16, 0], 9)
        self.check(grads.b2, [-549.32], 9)
        self.check(grads.W1[0], [7800.344, 0, 4943.88, 0], 9)
        self.check(grads.b1, [3900.172, 0, 2471.94, 0], 9)

    def test_multi_input(self):
        W1 = [[0.2, -0.3, 0.6], [-0.5, 0.7, -0.1], [0.8, -0.2, 0.9], [1.0, 0.4, -0.7]]
        W2 = [[0.7, -0.2, 0.1, 0.3], [-0.3, 0.8, -0.4, 0.2], [0.5, -0.6, 0.9, -0.7]]
        params = multi.Params(
            W1=np.array(W1).T,
            b1=np.array([0.1, -0.2, 0.3, 0.5]),
            W2=np.array(W2).T,
            b2=np.array([0.1, -0.2, 0.05]),
        )
        x, y = np.array([[0.5, 1.2, 6]]), np.array([[2.0, 3, 4]])
        z1, _, y_pred = multi.forward(params, x)
        self.check(z1, [[3.44, -0.21, 5.86, -2.72]], 12)
        self.check(y_pred, [[3.094, -3.576, 7.044]], 12)
        loss, grads = multi.loss_and_grads(params, x, y)
        self.check(loss, 17.902183, 6)
        self.check(grads.b2, [0.729333, -4.384, 2.029333], 6)
        self.check(grads.b1, [2.8404, 0, 3.652933, 0], 6)


class Training(unittest.TestCase):
    """train makes exactly the steps that it promises, and ends where it should."""

    def test_linear_ends_at_least_squares(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                rng = np.random.default_rng(seed)
                x, y = linear.make_data(rng)
                params, *_ = linear.train(linear.init_params(rng), x, y)
                np.testing.assert_allclose(
                    params, np.polyfit(x, y, 1), rtol=0, atol=1e-6
                )

    def test_logistic_ends_at_maximum_likelihood(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                rng = np.random.default_rng(seed)
                x, y = logistic.make_data(rng)
                params, _ = logistic.train(logistic.init_params(rng), x, y)
                exact = logistic.newton(x, y)
                np.testing.assert_allclose(params.w, exact.w, rtol=0, atol=1e-4)
                self.assertAlmostEqual(params.b, exact.b, delta=1e-4)
                _, p = logistic.forward(exact, x)  # at the optimum the gradient is 0
                np.testing.assert_allclose((p - y) @ x, 0, atol=1e-10)
                self.assertAlmostEqual(np.sum(p - y), 0, delta=1e-10)

    def test_single_input_ends_at_the_noise_or_at_a_line(self):
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            x, y = single.make_data(rng)
            start = single.init_params(rng)
            for activation in single.ACTIVATIONS:
                with self.subTest(seed=seed, activation=activation):
                    params, _ = single.train(start, x, y, activation=activation)
                    _, _, y_pred = single.forward(params, x, activation)
                    if activation == "identity":
                        line = np.polyval(np.polyfit(x[:, 0], y[:, 0], 1), x)
                        np.testing.assert_allclose(y_pred, line, rtol=0, atol=1e-9)
                    else:
                        ratio = rmse(y_pred, y) / single.NOISE
                        self.assertLess(abs(ratio - 1), 0.1)

    def test_multi_input_ends_near_the_noise_on_held_out_data(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                rng = np.random.default_rng(seed)
                x, y = multi.make_data(rng)
                x_test, y_test = multi.make_data(rng, multi.N_TEST)
                self.assertGreaterEqual(len(x_test), 500)
                x_mean, x_std, y_mean, y_std = x.mean(0), x.std(0), y.mean(0), y.std(0)
                start = multi.init_params(rng)
                params, *_ = multi.train(
                    start, (x - x_mean) / x_std, (y - y_mean) / y_std, rng
                )
                _, _, y_pred = multi.forward(params, (x_test - x_mean) / x_std)
                error = rmse(y_pred * y_std + y_mean, y_test)
                self.assertLess(error, 1.1 * multi.NOISE)

    def assert_uniform(self, values, low, high):
        """Check the quartiles, and that the ends are reached but not passed."""
        scaled = (values - low) / (high - low)
        for quarters in range(5):
            delta = 0.02 if 0 < quarters < 4 else 0.001
            found = np.quantile(scaled, quarters / 4)
            self.assertAlmostEqual(found, quarters / 4, delta=delta)
        self.assertTrue(np.min(scaled) >= 0 and np.max(scaled) <= 1)

    def test_data(self):
        """x fills its range, and y is the true function plus the noise."""
        with unittest.mock.patch.multiple(linear, NOISE=0, TRUE_W=3.0):
            x, y = linear.make_data(np.random.default_rng(0))
        np.testing.assert_allclose(y, 3 * x + linear.TRUE_B, rtol=1e-12)
        with unittest.mock.patch.object(single, "NOISE", 0):
            x, y = single.make_data(np.random.default_rng(0))
        np.testing.assert_allclose(y, np.sin(2 * x), rtol=1e-12)
        for script, low, high in ((linear, 0, 4), (single, -2, 2), (multi, 0, 1)):
            with unittest.mock.patch.object(script, "NOISE", 0.5):
                x, y = script.make_data(np.random.default_rng(0), 40000)
            if script is linear:
                truth = script.TRUE_W * x + script.TRUE_B
            elif script is single:
                truth = np.sin(2 * x)
            else:  # Friedman #1, again
                truth = (
                    10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
                )
                truth = (truth + 10 * x[:, 3] + 5 * x[:, 4])[:, None]
            with self.subTest(script.__name__):
                for column in np.reshape(x, (40000, -1)).T:
                    self.assert_uniform(column, low, high)
                self.assertAlmostEqual(np.mean(y - truth), 0, delta=0.01)
                self.assertAlmostEqual(np.std(y - truth), 0.5, delta=0.01)
        with unittest.mock.patch.object(logistic, "NOISE", 0.5):
            x, y = logistic.make_data(np.random.default_rng(0), 40000)
        self.assertEqual(set(y), {0.0, 1.0})
        self.assertAlmostEqual(np.mean(y), 0.5, delta=0.01)
        for label, centre in enumerate(logistic.CENTRES):
            np.testing.assert_allclose(
                np.mean(x[y == label], axis=0), centre, atol=0.02
            )
            np.testing.assert_allclose(np.std(x[y == label], axis=0), 0.5, atol=0.01)

    def test_full_batch_steps(self):
        """Two epochs are two steps of params - learning_rate * grads."""
        rng = np.random.default_rng(0)
        for script in (linear, logistic, single):
            x, y = script.make_data(rng, 5)
            start = expected = script.init_params(rng)
            losses = []
            for _ in range(2):
                loss, grads = script.loss_and_grads(expected, x, y)
                losses.append(loss)
                expected = script.Params(
                    *(p - 0.3 * g for p, g in zip(expected, grads))
                )
            trained, found, *_ = script.train(start, x, y, epochs=2, learning_rate=0.3)
            self.assertEqual(found, losses, script.__name__)
            for name, p, q in zip(script.Params._fields, trained, expected):
                message = f"{script.__name__}: step of {name}"
                np.testing.assert_allclose(p, q, rtol=1e-13, err_msg=message)

    def test_mini_batch_steps(self):
        """Each epoch is shuffled anew, the last batch is short, and steps shrink."""
        x, y = multi.make_data(np.random.default_rng(0), 7)
        held_out = multi.make_data(np.random.default_rng(1), 4)
        for batch_size in (1, 3, 7, 100):
            start = expected = multi.init_params(np.random.default_rng(2), H=6)
            rng = np.random.default_rng(3)
            losses, held_out_losses = [], []
            for step in (0.003, 0.002, 0.001):
                order, total = rng.permutation(7), 0
                for batch in np.split(order, range(batch_size, 7, batch_size)):
                    x_batch, y_batch = x[batch], y[batch]
                    loss, grads = multi.loss_and_grads(expected, x_batch, y_batch)
                    expected = multi.Params(
                        *(p - step * g for p, g in zip(expected, grads))
                    )
                    total += len(batch) * loss
                losses.append(total / 7)
                *_, y_pred = multi.forward(expected, held_out[0])
                held_out_losses.append(np.mean((y_pred - held_out[1]) ** 2))
            trained, *found = multi.train(
                start, x, y, np.random.default_rng(3), 3, 0.003, batch_size, held_out
            )
            np.testing.assert_allclose(found, [losses, held_out_losses], rtol=1e-12)
            for name, p, q in zip(multi.Params._fields, trained, expected):
                message = f"{multi.__name__}: steps of {name}, batches of {batch_size}"
                np.testing.assert_allclose(p, q, rtol=1e-12, err_msg=message)

    def test_batches_need_no_second_copy_of_the_data(self):
        x, y = multi.make_data(np.random.default_rng(0), 20000)
        start = multi.init_params(np.random.default_rng(1), H=2)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        rng = np.random.default_rng(2)
        multi.train(start, x, y, rng, epochs=1, learning_rate=1e-4, batch_size=1000)
        _, peak = tracemalloc.get_traced_memory()
        self.assertLess(peak, 0.6 * x.nbytes)  # the shuffled order is 0.2 of it

    def test_several_outputs(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(50, 3))
        y = x @ rng.normal(size=(3, 2)) + 1
        params, losses, _ = multi.train(
            multi.init_params(rng, 3, 16, 2), x, y, rng, 100
        )
        self.assertEqual(multi.forward(params, x)[-1].shape, (50, 2))
        self.assertLess(losses[-1], 0.01 * losses[0])

    def test_the_given_params_and_data_stay_as_they_were(self):
        for script in (linear, logistic, single, multi):
            rng = np.random.default_rng(0)
            x, y = script.make_data(rng, 9)
            start = script.init_params(rng)
            before = [np.copy(array) for array in (x, y, *start)]
            script.train(start, x, y, *([rng] if script is multi else []), epochs=3)
            for array, copy in zip((x, y, *start), before):
                np.testing.assert_array_equal(array, copy, script.__name__)

    def test_initial_params(self):
        """Their sizes, on so many units that the statistics are sharp."""
        H = 40000
        with unittest.mock.patch.object(single, "HIDDEN", H):
            params = single.init_params(np.random.default_rng(0))
        self.assertEqual([p.shape for p in params], [(1, H), (H,), (H, 1), (1,)])
        np.testing.assert_array_equal(np.abs(params.W1), 1)
        self.assertLess(abs(np.mean(params.W1)), 0.03)
        self.assert_uniform(params.b1, -2, 2)
        self.assertAlmostEqual(np.std(params.W2) * np.sqrt(H), 1, delta=0.03)
        self.assertAlmostEqual(np.mean(params.W2) * np.sqrt(H), 0, delta=0.03)
        self.assertEqual(params.b2, 0)

        params = multi.init_params(np.random.default_rng(0), 100, 300, 90)
        self.assertEqual(
            [p.shape for p in params], [(100, 300), (300,), (300, 90), (90,)]
        )
        for W in (params.W1, params.W2):
            self.assertAlmostEqual(np.std(W) * np.sqrt(len(W)), 1, delta=0.03)
            self.assertAlmostEqual(np.mean(W), 0, delta=0.003)
        self.assertFalse(np.any(params.b1) or np.any(params.b2))

        for script in (linear, logistic):
            starts = [
                script.init_params(np.random.default_rng(seed)) for seed in range(2000)
            ]
            values = np.array([np.hstack(start) for start in starts])
            np.testing.assert_allclose(np.std(values, axis=0), 1, atol=0.07)
            np.testing.assert_allclose(np.mean(values, axis=0), 0, atol=0.1)
            np.testing.assert_allclose(
                np.corrcoef(values.T), np.eye(values.shape[1]), atol=0.1
            )


# z and sigmoid(z), from 60 digits of mpmath 1.3, rounded to the nearest float64
SIGMOID = (
    (-1e300, 0.0),
    (-746.0, 0.0),
    (-745.0, 5e-324),
    (-710.5, 2.71500483752131e-309),
    (-709.5, 7.38014831401258e-309),
    (-80.5, 1.0946977029531417e-35),
    (-79.5, 2.9756968735933825e-35),
    (-37.0, 8.533047625744065e-17),
    (-1.0, 0.2689414213699951),
    (-0.125, 0.46879062662624377),
    (5e-324, 0.5),
    (0.0, 0.5),
    (0.75, 0.679178699175393),
    (2.0, 0.8807970779778824),
    (37.0, 0.9999999999999999),
    (710.0, 1.0),
    (1e300, 1.0),
)
# z, y and y log(1 + exp(-z)) + (1 - y) log(1 + exp(z)), from the same source
CROSS_ENTROPY = (
    (0.0, 1.0, 0.6931471805599453),
    (5e-324, 0.5, 0.6931471805599453),
    (0.5, 0.0, 0.9740769841801067),
    (-0.5, 0.25, 0.5990769841801067),
    (37.0, 1.0, 8.533047625744066e-17),
    (37.0, 0.0, 37.0),
    (30.0, 0.9999999999, 3.0000938244508014e-09),
    (-700.0, 0.0, 9.85967654375977e-305),
    (710.0, 0.9999999, 7.099999996262873e-05),
    (-746.0, 1.0, 746.0),
    (-1e300, 1.0, 1e300),
    (1e300, 0.5, 5e299),
)


class Common(unittest.TestCase):
    """common.py: right to the last digits, and clear about what it cannot do."""

    def setUp(self):  # every floating-point flag is an error
        flags = np.errstate(all="raise")
        flags.__enter__()
        self.addCleanup(flags.__exit__, None, None, None)

    def test_sigmoid(self):
        z, expected = np.array(SIGMOID).T
        with np.errstate(under="ignore"):
            unit = np.spacing(expected)
        error = np.abs(common.sigmoid(z) - expected) / unit
        self.assertLessEqual(
            np.max(error), 4, f"common: sigmoid at z = {z[error.argmax()]}"
        )

    def test_sigmoid_never_falls(self):
        for start in (-745.0, -80.0, -37.0, -1.0, -0.9, -0.8, 0.5, 36.0):
            z = start + np.arange(5000) * np.spacing(start) * np.sign(start)
            self.assertGreaterEqual(
                np.min(np.diff(common.sigmoid(z))), 0, f"from {start}"
            )
        self.assertGreaterEqual(
            np.min(np.diff(common.sigmoid(np.linspace(-800, 800, 9999)))), 0
        )

    def test_bce_with_logits(self):
        for z, y, expected in CROSS_ENTROPY:
            found = common.bce_with_logits(z, y)
            self.assertLessEqual(
                abs(found - expected), 1e-14 * expected, f"z={z}, y={y}"
            )
        self.assertTrue(np.isnan(common.bce_with_logits([np.nan, 0], [1, 0])))
        self.assertAlmostEqual(
            common.bce_with_logits([0.5, -0.5], [0, 0.25]),
            0.7865769841801067,
            delta=1e-15,
        )

    def test_mse(self):
        self.assertEqual(common.mse([[1, 2], [3, 4]], [[1, 0], [0, 0]]), 29 / 4)
        self.assertEqual(common.mse(5, 2), 9)
        self.assertEqual(common.mse(["1", "2"], [2, 2]), 0.5)
        self.assertEqual(common.mse([2, 2], ["1", "2"]), 0.5)

    def test_activations(self):
        z = [-20, -3, -1, -5e-324, 0, 5e-324, 0.5, 2]
        # tanh(z) and 1 - tanh(z)^2 at -20, -3, -1, 0.5, 2, from mpmath as well
        tanh = [-1, -0.9950547536867305, -0.7615941559557649]
        tanh += [0.46211715726000974, 0.9640275800758169]
        tanh_grad = [1.6993417021166355e-17, 0.00986603716544019, 0.4199743416140261]
        tanh_grad += [0.7864477329659274, 0.07065082485316447]
        expected = {
            "relu": [0, 0, 0, 0, 0, 5e-324, 0.5, 2],
            "relu_grad": [0, 0, 0, 0, 0, 1, 1, 1],
            "tanh": [*tanh[:3], 0, 0, 0, *tanh[3:]],
            "tanh_grad": [*tanh_grad[:3], 1, 1, 1, *tanh_grad[3:]],
            "identity": z,
            "identity_grad": [1] * 8,
        }
        for name, values in expected.items():
            found = getattr(common, name)(z)
            np.testing.assert_allclose(found, values, rtol=0, atol=1e-15, err_msg=name)

    def test_types_and_shapes(self):
        for name in (
            "sigmoid",
            "relu",
            "tanh",
            "identity",
            "relu_grad",
            "tanh_grad",
            "identity_grad",
        ):
            f = getattr(common, name)
            with self.subTest(name):
                for z in (
                    1,
                    1.5,
                    True,
                    [1, 2],
                    [[1.5], [2]],
                    np.arange(4),
                    np.float16(1),
                ):
                    self.assertEqual(np.shape(f(z)), np.shape(z))
                    self.assertEqual(f(z).dtype, np.float64)
                extreme = np.array([-1e38, -100, -1, 0, 1, 100, 1e38], dtype=np.float32)
                self.assertEqual(f(extreme).dtype, np.float32)
        z = np.ones(3)
        self.assertIs(common.identity(z), z)  # without a copy
        for loss in (common.mse, common.bce_with_logits):
            for value in (1, [0.5], np.ones((2, 3), dtype=np.float32)):
                self.assertIs(type(loss(value, value)), float)

    def test_shapes_that_differ(self):
        for loss in (common.mse, common.bce_with_logits):
            for a, b in (
                ((3,), (3, 1)),
                ((3, 1), (3,)),
                ((3, 1), (1, 1)),
                ((3,), ()),
                ((2,), (3,)),
            ):
                with self.assertRaises(ValueError) as caught:
                    loss(np.ones(a), np.ones(b))
                words = f"prediction {a}, y {b}"  # in this order
                self.assertIn(words, str(caught.exception))

    def test_empty(self):
        for loss in (common.mse, common.bce_with_logits):
            for shape in ((0,), (0, 1), (3, 0)):
                with self.assertRaisesRegex(ValueError, "empty"):
                    loss(np.ones(shape), np.ones(shape))

    def test_labels(self):
        for label in (2, -1, 1.0000001, -1e-9, np.nan, np.inf):
            with self.assertRaisesRegex(ValueError, r"labels must be in \[0, 1\]"):
                common.bce_with_logits([1, 2], [1, label])


class WrongInput(unittest.TestCase):
    """train says what is wrong, in one clear error, and NumPy never warns."""

    def setUp(self):
        strict = warnings.catch_warnings()
        strict.__enter__()
        self.addCleanup(strict.__exit__, None, None, None)
        warnings.simplefilter("error")
        self.data = {}
        for script in (linear, logistic, single, multi):
            x, y = script.make_data(np.random.default_rng(0), 8)
            self.data[script] = x, y, script.init_params(np.random.default_rng(1))

    def train(self, script, x, y, **options):
        more = [np.random.default_rng(2)] if script is multi else []
        return script.train(self.data[script][2], x, y, *more, **options)

    def refused(self, error, words, script, x, y, **options):
        with self.assertRaisesRegex(error, words):
            self.train(script, x, y, **options)

    def test_shapes(self):
        for script, (x, y, _) in self.data.items():
            wrong = [(x[:5], y), (x, y[:5]), (x[:0], y[:0]), (x, y[0]), (x[0], y)]
            wrong += [(np.hstack([x, x]), y), (x, y[:, None]), (x[:, None], y)]
            wrong += [(x, y.ravel())] if y.ndim == 2 else []
            wrong += [(x, np.hstack([y, y])), (x[:, None], y[:, None])]
            wrong += [(a, a) for a in (x[0], np.ones((8, 3)), np.ones((8, 1, 1)))]
            wrong += [(y.ravel(), y.ravel())] if y.ndim == 2 else []
            for a, b in wrong:
                shapes = f".*must be.* {re.escape(f'{a.shape} and {b.shape}')}"
                with self.subTest(script.__name__, x=a.shape, y=b.shape):
                    self.refused(ValueError, shapes, script, a, b)

    def test_not_finite(self):
        for script, (x, y, _) in self.data.items():
            for value in (np.nan, np.inf, -np.inf):
                for wrong in (x, y):
                    a, b = x.copy(), y.copy()
                    (a if wrong is x else b).flat[3] = value
                    labels = (
                        script is logistic and wrong is y
                    )  # 0 to 1, or a ValueError
                    error = ValueError if labels else FloatingPointError
                    words = "labels must be" if labels else "loss is .* epoch 1, .* NaN"
                    with self.subTest(script.__name__, value=value, y=wrong is y):
                        self.refused(error, words, script, a, b)

    def test_learning_rate_too_large(self):
        for script, (x, y, _) in self.data.items():
            with self.subTest(script.__name__):
                if script is logistic:  # its gradient is bounded, the loss stays finite
                    _, losses = self.train(script, x, y, learning_rate=1e6)
                    self.assertTrue(np.all(np.isfinite(losses)))
                    continue
                words = (
                    r"loss is (inf|nan) in epoch \d+, learning rate 1000000.0: try a"
                )
                self.refused(FloatingPointError, words, script, x, y, learning_rate=1e6)

    def test_losses_name_the_prediction_first(self):
        for script in (linear, single, multi):
            x, y, params = self.data[script]
            wrong = np.stack([y, y])
            words = re.escape(f"prediction {y.shape}, y {wrong.shape}")
            with self.assertRaisesRegex(ValueError, words):
                script.loss_and_grads(params, x, wrong)
        x, y, _ = self.data[multi]
        words = re.escape("prediction (8, 1), y (8,)")
        self.refused(ValueError, words, multi, x, y, held_out=(x, y.ravel()))

    def test_labels_for_logistic(self):
        x, y, _ = self.data[logistic]
        for label in (2, -1, np.nan):
            labels = np.where(y == 1, label, y)
            self.refused(ValueError, "labels must be", logistic, x, labels)

    def test_settings(self):
        x, y, _ = self.data[single]
        self.refused(ValueError, "relu.*sigmoid", single, x, y, activation="sigmoid")
        x, y, _ = self.data[multi]
        for batch_size in (0, -1):
            words = f"batch_size .* {batch_size}"
            self.refused(ValueError, words, multi, x, y, batch_size=batch_size)

    def test_edges_that_work(self):
        for script, (x, y, _) in self.data.items():
            for n, epochs in ((1, 1), (1, 5), (8, 1)):
                _, losses, *_ = self.train(script, x[:n], y[:n], epochs=epochs)
                self.assertEqual(len(losses), epochs)
            _, losses, *_ = self.train(script, x, y, epochs=2)
            for a, b in (
                (x.tolist(), y.tolist()),
                (x.astype(str), y),
                (x, y.astype(str)),
            ):
                _, same, *_ = self.train(script, a, b, epochs=2)
                self.assertEqual(same, losses)
        with unittest.mock.patch.object(single, "HIDDEN", 1):
            single.train(
                single.init_params(np.random.default_rng(0)), *self.data[single][:2]
            )
        rng = np.random.default_rng(0)
        multi.train(multi.init_params(rng, H=1), *self.data[multi][:2], rng)


if __name__ == "__main__":
    unittest.main()
