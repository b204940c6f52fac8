"""Run all scripts, and check their mathematics against independent computations.

Run: python test_all.py, or pytest test_all.py. The name of a class or a test runs that
alone: python test_all.py Gradients. The other options are those of unittest.
"""

# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///

import contextlib
import importlib
import io
import math
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ["MPLBACKEND"] = "Agg"

import common
import numpy as np

NAMES = ["01_linear_regression", "02_logistic_regression",
         "03_mlp_single_input", "04_mlp_multi_input"]
SCRIPTS = linear, logistic, single, multi = [importlib.import_module(n) for n in NAMES]
NAMES_OF_PARAMS = {linear: "w b", logistic: "w b", single: "W1 b1 W2 b2", multi: "W1 b1 W2 b2"}


def names_of(script):
    return NAMES_OF_PARAMS[script].split()


def quietly(function, *args, **named):
    """Return what function returns, and keep what it prints from the screen."""
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **named)


def problem(script, seed=1, n=7):
    """Return random params, x, y and further arguments of loss_and_grads, off the kink."""
    rng = np.random.default_rng(seed)
    if script is linear:
        return (rng.normal(), rng.normal()), rng.normal(size=n), rng.normal(size=n), []
    if script is logistic:
        params = rng.normal(size=2), rng.normal()
        return params, rng.normal(size=(n, 2)), rng.uniform(size=n), []
    D, H, K = (1, 4, 1) if script is single else (3, 4, 2)
    params = [rng.normal(size=shape) for shape in ((D, H), (H,), (H, K), (K,))]
    x, y = rng.normal(size=(n, D)), rng.normal(size=(n, K))
    if np.abs(x @ params[0] + params[1]).min() < 0.01:
        return problem(script, seed + 1, n)
    return params, x, y, [common.relu] if script is single else []


def train(script, x, y, start, epochs, learning_rate, activation=common.relu):
    """Train any of the scripts, 04 in batches of 32 and with x and y as test data."""
    if script is single:
        return quietly(single.train, start, x, y, activation, epochs, learning_rate)
    if script is multi:
        rng = np.random.default_rng(3)
        return quietly(multi.train, start, x, y, x, y, rng, epochs, learning_rate, 32)
    return quietly(script.train, start, x, y, epochs, learning_rate)


def start_of(script, seed=1):
    sizes = {single: (4,), multi: (5, 4, 1)}.get(script, ())
    return script.init_params(np.random.default_rng(seed), *sizes)


# Warnings are errors, but for what Matplotlib calls that others have renamed since, and
# for its message that there is no window to show the figure in
WARNINGS = ["error", "ignore::DeprecationWarning", "ignore::PendingDeprecationWarning",
            "error::DeprecationWarning:__main__", "error::DeprecationWarning:common",
            "ignore:FigureCanvasAgg is non-interactive",
            "ignore:Matplotlib is currently using agg"]

# Run a script as Python does, then keep the numbers that it leaves to play with
KEEP = """
import pickle, runpy, sys
left = runpy.run_path(sys.argv[1], run_name="__main__")
names = "x y x_test y_test params losses path y_test_pred errors effects curves".split()
with open("left.pickle", "wb") as file:
    pickle.dump({name: left[name] for name in names if name in left}, file)
"""


def run_python(folder, *command, threads=1):
    """Run Python in folder, beside copies of the scripts, as if there were no display."""
    for name in (*NAMES, "common"):
        if not (folder / f"{name}.py").exists():
            shutil.copy(HERE / f"{name}.py", folder)
    env = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    if sys.platform.startswith("linux"):
        del env["MPLBACKEND"]  # Matplotlib finds out by itself that nothing can be shown
    env.update(PYTHONIOENCODING="ascii:strict", PYTHONDONTWRITEBYTECODE="1",
               OPENBLAS_NUM_THREADS=str(threads), OMP_NUM_THREADS=str(threads))
    options = [option for warning in WARNINGS for option in ("-W", warning)]
    command = [sys.executable, *options, *command]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


class Scripts(unittest.TestCase):
    """Each script runs, prints and draws, and its numbers are those of its data."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        jobs = {}
        with ThreadPoolExecutor(2) as pool:
            for name in reversed(NAMES):
                for threads, keep in ((1, []), (2, ["-c", KEEP])):
                    folder = cls.folder / f"{name} {threads}"
                    folder.mkdir()
                    jobs[name, threads] = pool.submit(
                        run_python, folder, *keep, f"{name}.py", threads=threads)
        cls.runs = {name: jobs[name, 1].result() for name in NAMES}
        cls.again = {name: jobs[name, 2].result() for name in NAMES}

    def left(self, name):
        return pickle.loads((self.folder / f"{name} 2" / "left.pickle").read_bytes())

    def test_no_error_and_no_warning(self):
        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(self.runs[name].stderr, "")
                self.assertEqual(self.runs[name].returncode, 0)

    def test_two_threads_print_the_same(self):
        for name in NAMES:
            self.assertEqual(self.again[name].stderr, "", name)
            self.assertEqual(self.again[name].stdout, self.runs[name].stdout, name)

    def test_length_of_the_print(self):
        for name in NAMES:
            self.assertIn(len(self.runs[name].stdout.splitlines()), range(10, 26), name)

    def test_one_picture_is_left(self):
        for name in NAMES:
            folder = self.folder / f"{name} 1"
            pictures = [path.name for path in folder.iterdir() if path.suffix != ".py"]
            self.assertEqual(pictures, [f"{name}.png"])
            picture = (folder / f"{name}.png").read_bytes()
            self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(int.from_bytes(picture[16:20], "big"), 1600, name)

    def check_print(self, name, expected):
        lines = self.runs[name].stdout.splitlines()
        self.assertEqual(lines, [*expected, f"saved {name}.png"])

    def test_numbers_of_01(self):
        rng = np.random.default_rng(linear.SEED)
        x, y = linear.make_data(rng, linear.N_SAMPLES)
        start = linear.init_params(rng)
        x_ones = np.column_stack([x, np.ones_like(x)])
        best = np.linalg.lstsq(x_ones, y, rcond=None)[0]
        curvature = 2 / len(x) * x_ones.T @ x_ones
        expected = []
        for rate, epochs in ((0.005, linear.EPOCHS), (0.25, 50), (0.05, linear.EPOCHS)):
            expected.append(f"learning rate {rate}")
            for epoch in [1, 10, 100, 1000] if epochs == 1000 else [1, 10, 50]:
                shrink = np.linalg.matrix_power(np.eye(2) - rate * curvature, epoch - 1)
                loss = np.mean((x_ones @ (best + shrink @ (start - best)) - y) ** 2)
                expected.append(f"epoch {epoch:4d} | loss {loss:.4g}")
        for fit, (w, b) in (("learned", best), ("least squares", best), ("truth", (1, 5))):
            expected.append(f"{fit:13} | w {w:.4f} y per x | b {b:.4f} y")
        self.check_print(NAMES[0], expected)
        left = self.left(NAMES[0])
        np.testing.assert_array_equal(left["x"], x)
        np.testing.assert_array_equal(left["y"], y)
        np.testing.assert_allclose(left["params"], best, rtol=1e-6)
        self.assertLess(np.polyfit(range(1000), left["losses"], 1)[0], 0)
        self.assertEqual(len(left["path"]), 1000)

    def test_numbers_of_02(self):
        rng = np.random.default_rng(logistic.SEED)
        x, y = logistic.make_data(rng, logistic.N_SAMPLES)
        x_ones = np.column_stack([x, np.ones(len(x))])
        fit, losses = np.hstack(logistic.init_params(rng)), []
        for _ in range(logistic.EPOCHS):
            p = 1 / (1 + np.exp(-x_ones @ fit))
            losses.append(-np.mean(np.log(np.where(y == 1, p, 1 - p))))
            fit = fit - logistic.LEARNING_RATE * x_ones.T @ (p - y) / len(y)
        expected = [f"epoch {e:4d} | loss {losses[e - 1]:.4g}" for e in (1, 10, 100, 1000)]
        expected.append("largest derivative | 0.0000000000")
        # The density of a class at x is exp(-(squared distance to its centre) / 2 NOISE^2)
        far = [((x_ones[:, :2] - centre) ** 2).sum(axis=1) for centre in logistic.CENTRES]
        score = (far[0] - far[1]) / (2 * logistic.NOISE**2)
        truth = np.linalg.lstsq(x_ones, score, rcond=None)[0]
        for name, (w1, w2, b) in (("learned", fit), ("truth", truth)):
            accuracy = np.mean(np.sign(x @ [w1, w2] + b) == 2 * y - 1)
            numbers = f"w {w1:.4f} {w2:.4f} | b {b:.4f} | training accuracy {accuracy:.3f}"
            expected.append(f"{name:7} | {numbers}")
        self.check_print(NAMES[1], expected)
        left = self.left(NAMES[1])
        np.testing.assert_array_equal(left["x"], x)
        np.testing.assert_array_equal(left["y"], y)
        np.testing.assert_allclose(np.hstack(left["params"]), fit, rtol=1e-9)
        np.testing.assert_allclose(left["losses"], losses, rtol=1e-9)

    def test_numbers_of_03(self):
        rng = np.random.default_rng(single.SEED)
        x, y = single.make_data(rng, single.N_SAMPLES)
        start = single.init_params(rng, single.HIDDEN)
        expected, rmse, runs = [], [], {}
        for name in ("relu", "tanh", "identity"):
            activation = getattr(common, name)
            params, losses = runs[name] = train(
                single, x, y, start, single.EPOCHS, single.LEARNING_RATE, activation)
            expected.append(name)
            for epoch in (1, 10, 100, 1000, 4000):
                expected.append(f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}")
            rmse.append(f"{name:13} | training RMSE {math.sqrt(losses[-1]):.4f}")
            self.assertLess(losses[-1], 0.9 * losses[0])
        x_ones = np.hstack([x, np.ones_like(x)])
        miss = x_ones @ np.linalg.lstsq(x_ones, y, rcond=None)[0] - y
        rmse.append(f"least squares | training RMSE {np.sqrt(np.mean(miss**2)):.4f}")
        rmse.append(f"noise         | standard deviation {0.2:.4f}, all in the unit of y")
        self.check_print(NAMES[2], expected + rmse)
        left = self.left(NAMES[2])
        np.testing.assert_array_equal(left["x"], x)
        np.testing.assert_array_equal(left["y"], y)
        np.testing.assert_allclose(left["losses"], runs["relu"][1], rtol=1e-6)
        for p, q in zip(left["params"], runs["relu"][0]):
            np.testing.assert_allclose(p, q, rtol=1e-6)

    def test_numbers_of_04(self):
        x, y, x_test, y_test, params, losses, test_losses = trained_04(multi.SEED)
        expected = [f"epoch {e:4d} | loss {losses[e - 1]:.4g} | test loss {test_losses[e - 1]:.4g}"
                    for e in (1, 2, 5, 10, 20, 40, 60)]
        mean, std = y.mean(), y.std()

        def network(inputs):
            z1 = (inputs - x.mean(axis=0)) / x.std(axis=0) @ params[0] + params[1]
            return (np.where(z1 > 0, z1, 0) @ params[2] + params[3]) * std + mean

        def line(inputs):
            return np.hstack([inputs, np.ones((len(inputs), 1))]) @ fit

        fit = np.linalg.lstsq(np.hstack([x, np.ones((len(x), 1))]), y, rcond=None)[0]
        errors = {"network": network(x_test) - y_test, "straight line": line(x_test) - y_test}
        for name, error in errors.items():
            expected.append(f"{name:13} | test RMSE {math.sqrt(np.mean(error**2)):.4f}")
        noise = f"{1:.4f}, all in the unit of y; loss {1 / std**2:.4g}"
        self.check_print(NAMES[3], [*expected, f"noise         | {noise}"])
        left = self.left(NAMES[3])
        grid = np.full((101, 5), 0.5)
        grid[:, 2] = np.arange(101) / 100
        truth = 10 * np.sin(np.pi / 4) + 20 * (grid[:, 2:3] - 0.5) ** 2 + 7.5
        effects = {"x3": grid[:, 2], "network": network(grid), "straight line": line(grid), "truth": truth}
        curves = {"training": losses, "test": test_losses, "noise": 1 / std**2,
                  "line": np.mean(errors["straight line"] ** 2) / std**2}
        values = {"x": x, "y": y, "x_test": x_test, "y_test": y_test, "losses": losses,
                  "y_test_pred": network(x_test)}
        for found, wanted in ((left, values), (left["errors"], errors),
                              (left["effects"], effects), (left["curves"], curves)):
            for name, value in wanted.items():
                np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=name)


def trained_04(seed):
    """Return 04's data for a seed, and what train makes of them, scaled."""
    rng = np.random.default_rng(seed)
    x, y = multi.make_data(rng, multi.N_SAMPLES)
    x_test, y_test = multi.make_data(rng, multi.N_TEST)
    start = multi.init_params(rng, 5, multi.HIDDEN, 1)
    pairs = ((x, x), (y, y), (x_test, x), (y_test, y))
    scaled = [(a - b.mean(axis=0)) / b.std(axis=0) for a, b in pairs]
    settings = multi.EPOCHS, multi.LEARNING_RATE, multi.BATCH_SIZE
    return x, y, x_test, y_test, *quietly(multi.train, start, *scaled, rng, *settings)


class Gradients(unittest.TestCase):
    """loss_and_grads returns the loss, and its derivatives in the shape of the params."""

    def check(self, script, params, x, y, more, loss_of):
        loss, grads = script.loss_and_grads(params, x, y, *more)
        prediction = script.forward(params, x, *more)[0 if script is logistic else -1]
        if script is linear:
            prediction = script.forward(params, x)
        self.assertAlmostEqual(loss, loss_of(prediction, y), 13, f"{script.__name__}: loss")
        self.assertEqual(len(grads), len(params))
        for i, (name, grad) in enumerate(zip(names_of(script), grads)):
            with self.subTest(f"{script.__name__}: d{name}", more=more):
                measured = np.zeros(np.shape(params[i]))
                for index in np.ndindex(measured.shape):
                    step = np.zeros(measured.shape)
                    step[index] = 1e-5
                    up = [p + step if j == i else p for j, p in enumerate(params)]
                    down = [p - step if j == i else p for j, p in enumerate(params)]
                    rise = (script.loss_and_grads(up, x, y, *more)[0]
                            - script.loss_and_grads(down, x, y, *more)[0])
                    measured[index] = rise / 2e-5
                self.assertEqual(np.shape(grad), measured.shape)
                np.testing.assert_allclose(grad, measured, rtol=1e-6, atol=1e-8)

    @staticmethod
    def squares(y_pred, y):
        return np.mean((y_pred - y) ** 2)

    def test_linear(self):
        self.check(linear, *problem(linear), self.squares)

    def test_logistic(self):
        def entropy(z, y):
            p = 1 / (1 + np.exp(-z))
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

        self.check(logistic, *problem(logistic), entropy)

    def test_single_input(self):
        for activation in single.DERIVATIVE:
            params, x, y, _ = problem(single)
            self.check(single, params, x, y, [activation], self.squares)

    def test_multi_input(self):
        self.check(multi, *problem(multi), self.squares)

    def test_03_and_04_agree_to_the_bit(self):
        params, x, y, _ = problem(single)
        loss, grads = single.loss_and_grads(params, x, y, common.relu)
        same_loss, same_grads = multi.loss_and_grads(params, x, y)
        self.assertEqual(loss, same_loss)
        for grad, same in zip(grads, same_grads):
            np.testing.assert_array_equal(grad, same)


class WorkedByHand(unittest.TestCase):
    """The examples that the README works out with pencil and paper."""

    def check(self, found, expected, decimals):
        delta = 0.5001 * 10.0**-decimals
        np.testing.assert_allclose(found, expected, rtol=0, atol=delta)

    def test_linear(self):
        x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 4, 5, 9])
        self.check(linear.forward((1.0, -3.0), x), [-2, -1, 0, 1], 12)
        loss, (dw, db) = linear.loss_and_grads((1.0, -3.0), x, y)
        self.check([loss, dw, db], [29.5, -29.5, -10], 12)
        params, losses, path = train(linear, x, y, (1.0, -3.0), 2, 0.04)
        self.check(path[1], [2.18, -2.6], 12)
        self.check(losses[1], 3.653, 3)

    def test_logistic(self):
        x, y = np.array([[1.0, 2], [2, 1], [3, 2], [4, 1]]), np.array([0.0, 0, 1, 1])
        params = np.array([1.0, 1]), -4.0
        z, p = logistic.forward(params, x)
        self.check(z, [-1, -1, 1, 1], 12)
        self.check(p, [0.268941, 0.268941, 0.731059, 0.731059], 6)
        loss, (dw, db) = logistic.loss_and_grads(params, x, y)
        self.check([loss, *dw, db], [0.313262, -0.268941, 0, 0], 6)

    def test_single_input(self):
        W1, W2 = np.array([[12.3, -9.2, 6.5, -4.7]]), np.array([[-7.1], [13.2], [-4.5], [9.8]])
        params = W1, np.array([5.0, -3, 0, 2]), W2, np.array([-1.0])
        x, y = np.array([[2.0]]), np.array([[5.0]])
        z1, a1, y_pred = single.forward(params, x, common.relu)
        self.check(z1, [[29.6, -21.4, 13, -7.4]], 12)
        self.check(a1, [[29.6, 0, 13, 0]], 12)
        self.check(y_pred, [[-269.66]], 10)
        loss, (dW1, db1, dW2, db2) = single.loss_and_grads(params, x, y, common.relu)
        self.check(loss, 75438.1156, 8)
        self.check(dW2[:, 0], [-16259.872, 0, -7141.16, 0], 9)
        self.check(db2, [-549.32], 9)
        self.check(dW1[0], [7800.344, 0, 4943.88, 0], 9)
        self.check(db1, [3900.172, 0, 2471.94, 0], 9)

    def test_multi_input(self):
        W1 = [[0.2, -0.3, 0.6], [-0.5, 0.7, -0.1], [0.8, -0.2, 0.9], [1.0, 0.4, -0.7]]
        W2 = [[0.7, -0.2, 0.1, 0.3], [-0.3, 0.8, -0.4, 0.2], [0.5, -0.6, 0.9, -0.7]]
        b1, b2 = np.array([0.1, -0.2, 0.3, 0.5]), np.array([0.1, -0.2, 0.05])
        params = np.transpose(W1), b1, np.transpose(W2), b2
        x, y = np.array([[0.5, 1.2, 6]]), np.array([[2.0, 3, 4]])
        z1, _, y_pred = multi.forward(params, x)
        self.check(z1, [[3.44, -0.21, 5.86, -2.72]], 12)
        self.check(y_pred, [[3.094, -3.576, 7.044]], 12)
        loss, (_, db1, _, db2) = multi.loss_and_grads(params, x, y)
        self.check(loss, 17.902183, 6)
        self.check(db2, [0.729333, -4.384, 2.029333], 6)
        self.check(db1, [2.8404, 0, 3.652933, 0], 6)


class Training(unittest.TestCase):
    """train takes exactly the steps that it promises, and ends where it should."""

    def test_two_epochs_by_hand(self):
        for script in (linear, logistic, single):
            params, x, y, more = problem(script)
            path, losses = [params], []
            for _ in range(2):
                loss, grads = script.loss_and_grads(path[-1], x, y, *more)
                path.append([p - 0.3 * g for p, g in zip(path[-1], grads)])
                losses.append(loss)
            trained, found, *rest = train(script, x, y, params, 2, 0.3)
            np.testing.assert_allclose(found, losses, 1e-13, err_msg=script.__name__)
            for name, p, q in zip(names_of(script), trained, path[-1]):
                np.testing.assert_allclose(p, q, 1e-13, err_msg=f"{script.__name__}: {name}")
            if script is linear:
                np.testing.assert_allclose(rest[0], path[:2], 1e-13)

    def test_mini_batches_by_hand(self):
        """Shuffled anew each epoch, a short last batch, and steps that shrink."""
        params, x, y, _ = problem(multi)
        _, x_test, y_test, _ = problem(multi, seed=9, n=4)
        for batch_size in (1, 3, 7, 100):
            expected, losses, test_losses = params, [], []
            rng = np.random.default_rng(3)
            for rate in (0.03, 0.02, 0.01):
                order = rng.permutation(7)
                for batch in np.split(order, range(batch_size, 7, batch_size)):
                    _, grads = multi.loss_and_grads(expected, x[batch], y[batch])
                    expected = [p - rate * g for p, g in zip(expected, grads)]
                losses.append(multi.loss_and_grads(expected, x, y)[0])
                test_losses.append(multi.loss_and_grads(expected, x_test, y_test)[0])
            trained, *found = quietly(multi.train, params, x, y, x_test, y_test,
                                      np.random.default_rng(3), 3, 0.03, batch_size)
            np.testing.assert_allclose(found, [losses, test_losses], 1e-12)
            for name, p, q in zip(names_of(multi), trained, expected):
                np.testing.assert_allclose(p, q, 1e-11, err_msg=f"04: {name}, {batch_size}")

    def test_print_has_the_first_and_the_last_epoch(self):
        for script in SCRIPTS:
            x, y = script.make_data(np.random.default_rng(0), 20)
            with contextlib.redirect_stdout(io.StringIO()) as out, \
                    mock.patch(f"{__name__}.quietly", lambda f, *args: f(*args)):
                _, losses, *_ = train(script, x, y, start_of(script), 37, 1e-3)
            lines = out.getvalue().splitlines()
            self.assertEqual(len(losses), 37)
            for line, epoch in ((lines[0], 1), (lines[-1], 37)):
                self.assertTrue(line.startswith(
                    f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}"), line)

    def test_the_given_arrays_stay_as_they_were(self):
        for script in SCRIPTS:
            x, y = script.make_data(np.random.default_rng(0), 9)
            start = start_of(script)
            before = [np.copy(array) for array in (x, y, *start)]
            train(script, x, y, start, 3, 0.01)
            for array, copy in zip((x, y, *start), before):
                np.testing.assert_array_equal(array, copy, script.__name__)

    def test_01_ends_at_least_squares(self):
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x, y = linear.make_data(rng, linear.N_SAMPLES)
            settings = linear.EPOCHS, linear.LEARNING_RATE
            params, *_ = train(linear, x, y, linear.init_params(rng), *settings)
            np.testing.assert_allclose(params, np.polyfit(x, y, 1), rtol=0, atol=1e-6)

    def test_02_ends_at_maximum_likelihood(self):
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x, y = logistic.make_data(rng, logistic.N_SAMPLES)
            settings = logistic.EPOCHS, logistic.LEARNING_RATE
            (w, b), _ = train(logistic, x, y, logistic.init_params(rng), *settings)
            p = 1 / (1 + np.exp(-(x @ w + b)))  # where the derivatives of a convex loss are 0
            np.testing.assert_allclose([*(p - y) @ x, (p - y).sum()], 0, atol=1e-6)

    def test_03_ends_at_the_noise_or_at_a_line(self):
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x, y = single.make_data(rng, single.N_SAMPLES)
            start = single.init_params(rng, single.HIDDEN)
            for activation in (common.relu, common.tanh, common.identity):
                settings = single.EPOCHS, single.LEARNING_RATE, activation
                params, _ = train(single, x, y, start, *settings)
                *_, y_pred = single.forward(params, x, activation)
                if activation is common.identity:
                    line = np.polyval(np.polyfit(x[:, 0], y[:, 0], 1), x)
                    np.testing.assert_allclose(y_pred, line, rtol=0, atol=1e-9)
                else:
                    ratio = np.sqrt(np.mean((y_pred - y) ** 2)) / single.NOISE
                    self.assertLess(abs(ratio - 1), 0.1, f"{activation.__name__}, {seed}")

    def test_04_ends_near_the_noise_on_test_data(self):
        for seed in range(1, 3):
            x, y, x_test, y_test, params, *_ = trained_04(seed)
            scaling = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
            error = multi.predict(params, scaling, x_test) - y_test
            self.assertLess(np.sqrt(np.mean(error**2)), 1.1 * multi.NOISE, f"seed {seed}")

    def test_predict_scales_there_and_back(self):
        params, x, _, _ = problem(multi)
        x_mean, x_std, y_mean, y_std = (np.arange(1.0, n) for n in (4, 4, 3, 3))
        found = multi.predict(params, (x_mean, x_std, y_mean, y_std), x * x_std + x_mean)
        np.testing.assert_allclose((found - y_mean) / y_std, multi.forward(params, x)[-1])


class Data(unittest.TestCase):
    """make_data gives what its script says, and init_params a start of the right size."""

    def check_uniform(self, values, low, high):
        quarters = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
        expected = np.linspace(low, high, 5)
        np.testing.assert_allclose(quarters, expected, rtol=0, atol=0.02 * (high - low))
        self.assertTrue(low <= quarters[0] and quarters[4] <= high)

    def check_noise(self, script, low, high, truth):
        with mock.patch.object(script, "NOISE", 0.5):
            x, y = script.make_data(np.random.default_rng(0), 20000)
        for column in x.reshape(20000, -1).T:
            self.check_uniform(column, low, high)
        noise = y - truth(x)
        self.assertEqual(noise.shape, y.shape)
        self.assertAlmostEqual(np.mean(noise), 0, delta=0.02)
        self.assertAlmostEqual(np.std(noise), 0.5, delta=0.02)
        with mock.patch.object(script, "NOISE", 0):
            x, y = script.make_data(np.random.default_rng(0), 20)
        np.testing.assert_allclose(y, truth(x), rtol=1e-12)

    def test_linear(self):
        with mock.patch.multiple(linear, TRUE_W=3.0, TRUE_B=7.0):
            self.check_noise(linear, 0, 4, lambda x: 7 + 3 * x)

    def test_single_input(self):
        self.check_noise(single, -2, 2, lambda x: 2 * np.sin(x) * np.cos(x))

    def test_multi_input(self):
        def friedman(x):
            y = [10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
                 for a, b, c, d, e in x]
            return np.array(y)[:, None]

        self.check_noise(multi, 0, 1, friedman)

    def test_logistic(self):
        with mock.patch.object(logistic, "NOISE", 0.5):
            x, y = logistic.make_data(np.random.default_rng(0), 20000)
        self.assertEqual((x.shape, y.shape, set(y)), ((20000, 2), (20000,), {0.0, 1.0}))
        self.assertAlmostEqual(np.mean(y), 0.5, delta=0.02)
        for label, centre in enumerate(logistic.CENTRES):
            cloud = x[y == label]
            np.testing.assert_allclose(cloud.mean(axis=0), centre, rtol=0, atol=0.02)
            np.testing.assert_allclose(np.cov(cloud.T), 0.25 * np.eye(2), atol=0.02)

    def test_init_params(self):
        for script in (linear, logistic):
            starts = np.array([np.hstack(start_of(script, seed)) for seed in range(2000)])
            np.testing.assert_allclose(starts.mean(axis=0), 0, atol=0.1)
            np.testing.assert_allclose(np.cov(starts.T), np.eye(starts.shape[1]), atol=0.1)
        W1, b1, W2, b2 = single.init_params(np.random.default_rng(0), 20000)
        self.assertEqual((W1.shape, b1.shape, W2.shape), ((1, 20000), (20000,), (20000, 1)))
        np.testing.assert_array_equal(np.abs(W1), 1)
        self.assertLess(abs(W1.mean()), 0.03)
        self.check_uniform(b1, -2, 2)
        np.testing.assert_array_equal(b2, [0])
        self.check_normal(W2)
        W1, b1, W2, b2 = multi.init_params(np.random.default_rng(0), 100, 300, 90)
        self.assertEqual((W1.shape, W2.shape), ((100, 300), (300, 90)))
        np.testing.assert_array_equal(b1, np.zeros(300))
        np.testing.assert_array_equal(b2, np.zeros(90))
        self.check_normal(W1)
        self.check_normal(W2)

    def check_normal(self, W):
        """The weights of a sum of so many terms have the standard deviation 1/sqrt(terms)."""
        terms = np.sqrt(len(W)) * W
        self.assertAlmostEqual(terms.std(), 1, delta=0.03)
        self.assertAlmostEqual(terms.mean(), 0, delta=0.03)
        self.assertAlmostEqual(np.mean(np.abs(terms) < 1), 0.683, delta=0.03)


class Common(unittest.TestCase):
    """common.py against Python's math, one number at a time."""

    z = np.array([-40.0, -9.5, -3, -1, -0.125, -1e-9, 1e-9, 0.5, 1, 2, 8.25, 37])

    def setUp(self):  # an overflow is an error, an underflow to 0 is as it should be
        flags = np.errstate(over="raise", invalid="raise", divide="raise")
        flags.__enter__()
        self.addCleanup(flags.__exit__, None, None, None)

    def test_sigmoid(self):
        for z in (*self.z, -700.0, -745.0, 700.0):
            expected = 1 / (1 + math.exp(-z)) if z > 0 else math.exp(z) / (1 + math.exp(z))
            found = common.sigmoid(np.array([[z]]))
            np.testing.assert_allclose(found, [[expected]], 1e-13, 5e-324, err_msg=f"z={z}")
        extreme = common.sigmoid(np.array([-1e308, -750, 0, 750, 1e308]))
        np.testing.assert_array_equal(extreme, [0, 0, 0.5, 1, 1])

    def test_activations(self):
        for name, expected in (("relu", lambda z: max(z, 0)), ("tanh", math.tanh),
                               ("identity", lambda z: z)):
            f, f_grad = getattr(common, name), getattr(common, f"{name}_grad")
            np.testing.assert_allclose(f(self.z), [expected(z) for z in self.z], 1e-14)
            z = self.z[np.abs(self.z) > 0.1].reshape(2, 5)
            slope = (f(z + 1e-6) - f(z - 1e-6)) / 2e-6
            np.testing.assert_allclose(f_grad(z), slope, 1e-7, 1e-9, err_msg=name)
            self.assertEqual(f_grad(z).dtype, np.float64)
            self.assertTrue(np.isfinite(f(np.array([-1e308, 1e308]))).all())
        kink = np.array([-5e-324, 0, 5e-324])
        np.testing.assert_array_equal(common.relu(kink), [0, 0, 5e-324])
        np.testing.assert_array_equal(common.relu_grad(kink), [0, 0, 1])

    def test_mse(self):
        y_pred, y = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 0]])
        self.assertEqual(common.mse(y_pred, y), (0 + 4 + 9 + 16) / 4)
        self.assertEqual(common.mse(y_pred[0], y[0]), (0 + 4) / 2)

    def test_bce_with_logits(self):
        def entropy(z, y):
            return y * math.log1p(math.exp(-z)) + (1 - y) * math.log1p(math.exp(z))

        labels = (0.0, 0.25, 1.0)
        for z in (*self.z, -700.0, 700.0):
            for y in labels:
                found = common.bce_with_logits(np.array([z]), np.array([y]))
                self.assertLessEqual(abs(found / entropy(z, y) - 1), 1e-13, f"z={z}, y={y}")
        together = common.bce_with_logits(self.z[:3], np.array(labels))
        alone = [entropy(z, y) for z, y in zip(self.z, labels)]
        self.assertAlmostEqual(together, sum(alone) / 3, 13)
        huge = np.array([[1e308, -1e308]])
        self.assertEqual(common.bce_with_logits(huge, np.array([[1.0, 0]])), 0)
        self.assertEqual(common.bce_with_logits(huge, np.array([[1.0, 1]])), 1e308 / 2)


class WrongInput(unittest.TestCase):
    """One clear error, never a silent number."""

    def refused(self, error, words, function, *args):
        with self.assertRaisesRegex(error, words):
            function(*args)

    def test_shapes_in_the_losses(self):
        for loss in (common.mse, common.bce_with_logits):
            for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (1, 1)), ((2,), (3,))):
                words = re.escape(f"prediction {a}, y {b}") + r".*y\[:, None\]"
                self.refused(ValueError, words, loss, np.ones(a), np.ones(b))
            for empty in ((0,), (0, 1)):
                words = f"no samples.*{re.escape(str(empty))}"
                self.refused(ValueError, words, loss, np.ones(empty), np.ones(empty))

    def test_labels(self):
        for label in (2, -1, 1.0000001, -1e-9, np.nan, np.inf):
            self.refused(ValueError, r"labels must be in \[0, 1\]",
                         common.bce_with_logits, np.ones(2), np.array([1, label]))

    def test_shapes_in_train(self):
        for script in SCRIPTS:
            x, y = script.make_data(np.random.default_rng(0), 8)
            flat_or_column = y.ravel() if y.ndim == 2 else y[:, None]
            wrong = [(x, flat_or_column), (x[:5], y), (x, y[:5]), (x[:0], y[:0])]
            if x.ndim == 2:
                wrong.append((np.hstack([x, x]), y))
            for a, b in wrong:
                with self.subTest(script.__name__, x=a.shape, y=b.shape):
                    self.refused(ValueError, r"\d", train, script, a, b, start_of(script), 1, 0.01)

    def test_04_looks_at_all_before_it_trains(self):
        x, y = multi.make_data(np.random.default_rng(0), 8)
        start, rng = start_of(multi), mock.Mock()
        for x_test, y_test in ((x, y.ravel()), (x[:5], y), (x[:, :4], y), (x[:0], y[:0])):
            self.refused(ValueError, r"\d", multi.train, start, x, y, x_test, y_test, rng, 1, 0.1, 4)
        for batch_size in (0, -1):
            self.refused(ValueError, f"batch_size must be at least 1, not {batch_size}",
                         multi.train, start, x, y, x, y, rng, 1, 0.1, batch_size)
        rng.permutation.assert_not_called()

    @np.errstate(all="ignore")
    def test_a_loss_that_is_not_finite(self):
        for script in SCRIPTS:
            for value in (np.nan, np.inf):
                x, y = script.make_data(np.random.default_rng(0), 8)
                x.flat[3] = value
                words = "epoch +1 .*: lower learning_rate, or mend x and y"
                self.refused(FloatingPointError, words, train, script, x, y, start_of(script), 2, 0.01)
            if script is not logistic:  # where the gradient has a bound, and the loss none
                x, y = script.make_data(np.random.default_rng(0), 8)
                words = r"epoch +\d+ \| loss (inf|nan).*: lower learning_rate"
                self.refused(FloatingPointError, words, train, script, x, y, start_of(script), 900, 9.0)
        x, y = multi.make_data(np.random.default_rng(0), 8)
        self.refused(FloatingPointError, r"epoch +1 .* \| test loss nan: ", quietly, multi.train,
                     start_of(multi), x, y, x * np.nan, y, np.random.default_rng(0), 1, 0.01, 4)


if __name__ == "__main__":
    unittest.main()
