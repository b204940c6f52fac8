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
import re
import runpy
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
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "2"

import common
import numpy as np

NAMES = ["01_linear_regression", "02_logistic_regression",
         "03_mlp_single_input", "04_mlp_multi_input"]
SCRIPTS = linear, logistic, single, multi = [importlib.import_module(n) for n in NAMES]
PARAMS = dict(zip(SCRIPTS, ("w b", "w b", "W1 b1 W2 b2", "W1 b1 W2 b2")))


def close(found, expected, rtol=1e-12, atol=0, what=""):
    np.testing.assert_allclose(found, expected, rtol, atol, err_msg=what)


def close_params(script, found, expected, rtol):
    for name, p, q in zip(PARAMS[script].split(), found, expected):
        close(p, q, rtol, what=f"{script.__name__}: {name}")


def quietly(function, *args):
    """Return what function returns, and keep from the screen what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args)


def train(script, start, x, y, epochs, learning_rate, activation=common.relu):
    """Train with any script, 03 with an activation, 04 with batches and its own test."""
    if script is multi:
        rng = np.random.default_rng(0)
        return script.train(start, x, y, x, y, rng, epochs, learning_rate, 32)
    more = [activation] if script is single else []
    return script.train(start, x, y, *more, epochs, learning_rate)


def start_of(script, rng):
    return script.init_params(rng, *{single: [4], multi: [5, 4, 1]}.get(script, []))


def problem(script, seed=1, n=7):
    """Return random params, x and y, with all hidden units away from relu's kink."""
    rng = np.random.default_rng(seed)
    if script is linear:
        return tuple(rng.normal(size=2)), rng.normal(size=n), rng.normal(size=n)
    if script is logistic:
        return (rng.normal(size=2), rng.normal()), rng.normal(size=(n, 2)), rng.uniform(size=n)
    D, H, K = (1, 4, 1) if script is single else (3, 4, 2)
    params = [rng.normal(size=shape) for shape in ((D, H), (H,), (H, K), (K,))]
    x, y = rng.normal(size=(n, D)), rng.normal(size=(n, K))
    near = np.abs(x @ params[0] + params[1]).min() < 0.01
    return problem(script, seed + 1, n) if near else (params, x, y)


def train_04(seed):
    """Return 04's data for a seed, and what train makes of them when they are scaled."""
    rng = np.random.default_rng(seed)
    x, y = multi.make_data(rng, multi.N_SAMPLES)
    x_test, y_test = multi.make_data(rng, multi.N_TEST)
    start = multi.init_params(rng, 5, multi.HIDDEN, 1)
    pairs = ((x, x), (y, y), (x_test, x), (y_test, y))
    scaled = [(a - b.mean(axis=0)) / b.std(axis=0) for a, b in pairs]
    settings = multi.EPOCHS, multi.LEARNING_RATE, multi.BATCH_SIZE
    return x, y, x_test, y_test, *quietly(multi.train, start, *scaled, rng, *settings)


def run_python(folder, *command):
    """Run Python in a folder with copies of the scripts, as if there were no display.

    Warnings are errors, but for what Matplotlib calls that others have renamed since, and
    for its message that it has no window to show.
    """
    for name in (*NAMES, "common"):
        if not (folder / f"{name}.py").exists():
            shutil.copy(HERE / f"{name}.py", folder)
    env = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    if sys.platform.startswith("linux"):
        del env["MPLBACKEND"]  # Matplotlib finds out by itself that nothing can be shown
    env.update(PYTHONIOENCODING="ascii:strict", PYTHONDONTWRITEBYTECODE="1",
               OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    warnings = ("error ignore::DeprecationWarning ignore::PendingDeprecationWarning "
                "error::DeprecationWarning:__main__ error::DeprecationWarning:common").split()
    warnings += ["ignore:FigureCanvasAgg is non", "ignore:Matplotlib is currently using agg"]
    command = [sys.executable, *(f"-W{warning}" for warning in warnings), *command]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


class Scripts(unittest.TestCase):
    """Each script runs, prints and draws, and its numbers are those of its data.

    It runs in a process of its own with one BLAS thread, and in this one with two.
    """

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        folders = [cls.folder / name for name in NAMES]
        for folder in folders:
            folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            runs = pool.map(run_python, folders, [f"{name}.py" for name in NAMES])
        cls.runs = dict(zip(NAMES, runs))

    def check(self, script, expected_lines, **expected):
        """Check what a script prints, but for its last line, and what it leaves behind."""
        name, here = script.__name__, os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            left = runpy.run_path(str(HERE / f"{name}.py"), run_name="__main__")
        lines = [*expected_lines, f"saved {name}.png"]
        self.assertEqual(out.getvalue().splitlines(), lines)
        self.assertIn(len(lines), range(10, 26))
        run, folder = self.runs[name], self.folder / name
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout.splitlines(), lines)
        files = sorted(path.name for path in folder.iterdir())
        self.assertEqual(files, sorted([f"{n}.py" for n in NAMES] + ["common.py", f"{name}.png"]))
        picture = (folder / f"{name}.png").read_bytes()
        self.assertEqual((picture[1:4], int.from_bytes(picture[16:20], "big")), (b"PNG", 1600))
        for key, value in expected.items():
            values = value.items() if isinstance(value, dict) else [(key, value)]
            for what, wanted in values:
                found = left[key][what] if isinstance(value, dict) else left[key]
                close(np.hstack(found), np.hstack(wanted), 1e-6, 1e-9, f"{name}: {what}")

    def test_01(self):
        rng = np.random.default_rng(linear.SEED)
        x, y = linear.make_data(rng, linear.N_SAMPLES)
        start = linear.init_params(rng)
        ones = np.column_stack([x, np.ones(50)])
        best = np.linalg.lstsq(ones, y, rcond=None)[0]
        lines = []
        for rate, epochs in ((0.005, (1, 10, 100, 1000)), (0.25, (1, 10, 50)), (0.05, (1, 10, 100, 1000))):
            lines.append(f"learning rate {rate}")
            shrink = np.eye(2) - rate * 2 / 50 * ones.T @ ones  # what is left of the way, a step
            for epoch in epochs:
                fit = best + np.linalg.matrix_power(shrink, epoch - 1) @ (start - best)
                lines.append(f"epoch {epoch:4d} | loss {np.mean((ones @ fit - y) ** 2):.4g}")
        for name, (w, b) in (("learned", best), ("least squares", best), ("truth", (1, 5))):
            lines.append(f"{name:13} | w {w:.4f} (y per x) | b {b:.4f} (unit of y)")
        self.check(linear, lines, x=x, y=y, params=best)

    def test_02(self):
        rng = np.random.default_rng(logistic.SEED)
        x, y = logistic.make_data(rng, logistic.N_SAMPLES)
        ones = np.column_stack([x, np.ones(300)])
        fit, losses = np.hstack(logistic.init_params(rng)), []
        for _ in range(1000):
            p = 1 / (1 + np.exp(-ones @ fit))
            losses.append(-np.mean(np.log(np.where(y == 1, p, 1 - p))))
            fit = fit - 0.5 * ones.T @ (p - y) / 300
        epochs = (1, 3, 10, 30, 100, 300, 1000)
        lines = [f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}" for epoch in epochs]
        lines.append("largest derivative | 0.0000000000")
        log_densities = [-((x - c) ** 2).sum(axis=1) / 2 for c in logistic.CENTRES]
        truth = np.linalg.lstsq(ones, log_densities[1] - log_densities[0], rcond=None)[0]
        for name, (w1, w2, b) in (("learned", fit), ("truth", truth)):
            accuracy = np.mean(np.sign(x @ [w1, w2] + b) == 2 * y - 1)
            lines.append(f"{name:7} | w {w1:.4f} {w2:.4f} | b {b:.4f} | training accuracy {accuracy:.3f}")
        self.check(logistic, lines, x=x, y=y, params=fit, losses=losses)

    def test_03(self):
        rng = np.random.default_rng(single.SEED)
        x, y = single.make_data(rng, single.N_SAMPLES)
        start = single.init_params(rng, single.HIDDEN)
        lines, ends, runs = [], [], {}
        for name in ("relu", "tanh", "identity"):
            settings = single.EPOCHS, single.LEARNING_RATE, getattr(common, name)
            runs[name] = params, losses = quietly(train, single, start, x, y, *settings)
            lines.append(name)
            for epoch in (1, 10, 100, 1000, 4000):
                lines.append(f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}")
            ends.append(f"{name:13} | training RMSE {math.sqrt(losses[-1]):.4f}")
            self.assertLess(losses[-1], 0.9 * losses[0], name)
        ones = np.hstack([x, np.ones_like(x)])
        line = ones @ np.linalg.lstsq(ones, y, rcond=None)[0]
        ends.append(f"least squares | training RMSE {np.sqrt(np.mean((line - y) ** 2)):.4f}")
        ends.append("noise         | standard deviation 0.2000, all in the unit of y")
        params, losses = runs["relu"]
        params = [p.ravel() for p in params]
        self.check(single, lines + ends, x=x, y=y, losses=losses)

    def test_04(self):
        x, y, x_test, y_test, (W1, b1, W2, b2), losses, test_losses = train_04(multi.SEED)
        lines = [f"epoch {e:4d} | loss {losses[e - 1]:.4g} | test loss {test_losses[e - 1]:.4g}"
                 for e in (1, 2, 5, 10, 20, 40, 60)]
        slopes = np.linalg.lstsq(np.hstack([x, np.ones((8000, 1))]), y, rcond=None)[0]

        def models(x_new):
            z1 = (x_new - x.mean(axis=0)) / x.std(axis=0) @ W1 + b1
            a, b, c, d, e = x_new.T
            truth = 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
            return {"network": (np.where(z1 > 0, z1, 0) @ W2 + b2) * y.std() + y.mean(),
                    "straight line": x_new @ slopes[:5] + slopes[5], "truth": truth[:, None]}

        errors = {name: y_pred - y_test for name, y_pred in models(x_test).items()}
        for name, error in errors.items():
            rmse = np.sqrt(np.mean(error**2))
            lines.append(f"{name:13} | test RMSE {rmse:.4f} (unit of y)")
        side = np.full((101, 5), 0.5)
        side[:, 2] = np.arange(101) / 100
        curves = {"training": losses, "test": test_losses, "noise": 1 / y.var(),
                  "straight line": np.mean(errors["straight line"] ** 2) / y.var()}
        self.check(multi, lines, x=x, y=y, x_test=x_test, y_test=y_test, errors=errors,
                   y_test_pred=errors["network"] + y_test, losses=losses, curves=curves,
                   effects={"x3": side[:, 2], **models(side)})


class Gradients(unittest.TestCase):
    """loss_and_grads returns the loss, and its derivatives in the shape of the params."""

    def check(self, script, *more, loss=lambda y_pred, y: np.mean((y_pred - y) ** 2)):
        params, x, y = problem(script)
        found, grads = script.loss_and_grads(params, x, y, *more)
        values = script.forward(params, x, *more)
        output = values if script is linear else values[0 if script is logistic else -1]
        close(found, loss(output, y), what=f"{script.__name__}: loss")
        for i, name in enumerate(PARAMS[script].split()):
            with self.subTest(f"{script.__name__}: d{name}", more=more):
                measured = np.zeros(np.shape(params[i]))
                for index in np.ndindex(measured.shape):
                    losses = []
                    for step in (1e-5, -1e-5):
                        moved = [np.array(p) for p in params]
                        moved[i][index] += step
                        losses.append(script.loss_and_grads(moved, x, y, *more)[0])
                    measured[index] = (losses[0] - losses[1]) / 2e-5
                self.assertEqual(np.shape(grads[i]), measured.shape)
                close(grads[i], measured, 1e-6, 1e-8)

    def test_01(self):
        self.check(linear)

    def test_02(self):
        def entropy(z, y):
            p = 1 / (1 + np.exp(-z))
            return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

        self.check(logistic, loss=entropy)

    def test_03(self):
        for activation in single.DERIVATIVE:
            self.check(single, activation)

    def test_04(self):
        self.check(multi)

    def test_03_and_04_agree_to_the_bit(self):
        params, x, y = problem(single)
        loss, grads = single.loss_and_grads(params, x, y, common.relu)
        same_loss, same_grads = multi.loss_and_grads(params, x, y)
        self.assertEqual(loss, same_loss)
        close_params(multi, same_grads, grads, 0)


class WorkedByHand(unittest.TestCase):
    """The examples that the README works out with pencil and paper."""

    def check(self, found, expected, decimals):
        close(found, expected, 0, 0.5001 * 10.0**-decimals)

    def test_01(self):
        x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 4, 5, 9])
        self.check(linear.forward((1, -3), x), [-2, -1, 0, 1], 12)
        loss, (dw, db) = linear.loss_and_grads((1, -3), x, y)
        self.check([loss, dw, db], [29.5, -29.5, -10], 12)
        _, losses, path = quietly(train, linear, (1, -3), x, y, 2, 0.04)
        self.check(path[1], [2.18, -2.6], 12)
        self.check(losses[1], 3.653, 3)

    def test_02(self):
        x, y = np.array([[1.0, 2], [2, 1], [3, 2], [4, 1]]), np.array([0.0, 0, 1, 1])
        params = np.array([1.0, 1]), -4.0
        z, p = logistic.forward(params, x)
        self.check(z, [-1, -1, 1, 1], 12)
        self.check(p, [0.268941, 0.268941, 0.731059, 0.731059], 6)
        loss, (dw, db) = logistic.loss_and_grads(params, x, y)
        self.check([loss, *dw, db], [0.313262, -0.268941, 0, 0], 6)

    def test_03(self):
        params = (np.array([[12.3, -9.2, 6.5, -4.7]]), np.array([5.0, -3, 0, 2]),
                  np.array([[-7.1], [13.2], [-4.5], [9.8]]), np.array([-1.0]))
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

    def test_04(self):
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
    """Data and start are as promised; train takes those steps, and ends where it should."""

    def test_two_epochs_by_hand(self):
        for script in (linear, logistic, single):
            params, x, y = problem(script)
            path, losses, more = [params], [], [common.relu] if script is single else []
            for _ in range(2):
                loss, grads = script.loss_and_grads(path[-1], x, y, *more)
                path.append([p - 0.3 * g for p, g in zip(path[-1], grads)])
                losses.append(loss)
            trained, found, *rest = quietly(train, script, params, x, y, 2, 0.3)
            close(found, losses, what=script.__name__)
            close_params(script, trained, path[2], 1e-12)
            if script is linear:
                close(rest[0], path[:2])

    def test_mini_batches_by_hand(self):
        """Shuffled anew each epoch, a short last batch, and steps that shrink."""
        params, x, y = problem(multi)
        _, x_test, y_test = problem(multi, seed=9, n=4)
        for batch_size in (1, 3, 7, 100):
            expected, losses, test_losses = params, [], []
            rng = np.random.default_rng(3)
            for rate in (0.03, 0.02, 0.01):
                for batch in np.split(rng.permutation(7), range(batch_size, 7, batch_size)):
                    _, grads = multi.loss_and_grads(expected, x[batch], y[batch])
                    expected = [p - rate * g for p, g in zip(expected, grads)]
                losses.append(multi.loss_and_grads(expected, x, y)[0])
                test_losses.append(multi.loss_and_grads(expected, x_test, y_test)[0])
            rng = np.random.default_rng(3)
            settings = rng, 3, 0.03, batch_size
            trained, *found = quietly(multi.train, params, x, y, x_test, y_test, *settings)
            close(found, [losses, test_losses])
            close_params(multi, trained, expected, 1e-11)

    def test_first_and_last_epoch_are_printed_and_arguments_kept(self):
        for script in SCRIPTS:
            x, y = script.make_data(np.random.default_rng(0), 40)
            start = start_of(script, np.random.default_rng(0))
            before = [np.copy(array) for array in (x, y, *start)]
            with contextlib.redirect_stdout(io.StringIO()) as out:
                _, losses, *_ = train(script, start, x, y, 37, 1e-3)
            self.assertEqual(len(losses), 37, script.__name__)
            lines = out.getvalue().splitlines()
            for line, epoch in ((lines[0], 1), (lines[-1], 37)):
                words = f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}"
                self.assertEqual(line[:len(words)], words, script.__name__)
            for array, copy in zip((x, y, *start), before):
                np.testing.assert_array_equal(array, copy, script.__name__)

    def test_ends_of_training(self):
        for seed in range(1, 4):
            for script in (linear, logistic, single):
                rng = np.random.default_rng(seed)
                x, y = script.make_data(rng, script.N_SAMPLES)
                start = script.init_params(rng, *([8] if script is single else []))
                for activation in single.DERIVATIVE if script is single else [None]:
                    settings = script.EPOCHS, script.LEARNING_RATE, activation
                    params, *_ = quietly(train, script, start, x, y, *settings)
                    with self.subTest(script.__name__, seed=seed, activation=activation):
                        self.check_end(script, params, x, y, activation)
        for seed in range(1, 3):
            x, y, x_test, y_test, params, *_ = train_04(seed)
            scaling = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
            error = multi.predict(params, scaling, x_test) - y_test
            self.assertLess(np.sqrt(np.mean(error**2)), 1.1 * multi.NOISE, f"04, seed {seed}")

    def check_end(self, script, params, x, y, activation):
        if script is linear:
            close(params, np.polyfit(x, y, 1), 0, 1e-6)
        elif script is logistic:  # all derivatives are 0, only there as the loss is convex
            miss = 1 / (1 + np.exp(-(x @ params[0] + params[1]))) - y
            close([*miss @ x, miss.sum()], 0, 0, 1e-4)
        elif activation is common.identity:
            line = np.polyval(np.polyfit(x[:, 0], y[:, 0], 1), x)
            close(single.forward(params, x, activation)[-1], line, 0, 1e-9)
        else:
            miss = single.forward(params, x, activation)[-1] - y
            self.assertAlmostEqual(np.sqrt(np.mean(miss**2)) / single.NOISE, 1, delta=0.1)

    def test_predict_scales_there_and_back(self):
        params, x, _ = problem(multi)
        x_mean, x_std, y_mean, y_std = (np.arange(1.0, n) for n in (4, 4, 3, 3))
        found = multi.predict(params, (x_mean, x_std, y_mean, y_std), x * x_std + x_mean)
        close((found - y_mean) / y_std, multi.forward(params, x)[-1])

    def check_uniform(self, values, low, high):
        close(np.quantile(values, [0, 0.25, 0.5, 0.75, 1]), np.linspace(low, high, 5), 0, 0.05)
        self.assertTrue(low <= values.min() and values.max() <= high)

    def check_normal(self, values, deviation):
        close([values.mean(), values.std()], [0, deviation], 0, 0.02 * deviation)
        close(np.mean(np.abs(values) < deviation), 0.683, 0, 0.02)

    def test_make_data(self):
        def friedman(x):
            return [[10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e]
                    for a, b, c, d, e in x]

        for script, low, high, truth in (
                (linear, 0, 4, lambda x: 3 * x + 7), (multi, 0, 1, friedman),
                (single, -2, 2, lambda x: 2 * np.sin(x) * np.cos(x))):
            with mock.patch.multiple(script, NOISE=0.5, create=True, TRUE_W=3.0, TRUE_B=7.0):
                x, y = script.make_data(np.random.default_rng(0), 20000)
            for column in x.reshape(20000, -1).T:
                self.check_uniform(column, low, high)
            noise = y - truth(x)
            self.assertEqual(noise.shape, y.shape)
            self.check_normal(noise, 0.5)
            with mock.patch.multiple(script, NOISE=0, create=True, TRUE_W=3.0, TRUE_B=7.0):
                x, y = script.make_data(np.random.default_rng(0), 20)
            close(y, truth(x), what=script.__name__)
        with mock.patch.object(logistic, "NOISE", 0.5):
            x, y = logistic.make_data(np.random.default_rng(0), 20000)
        self.assertEqual((x.shape, y.shape, set(y)), ((20000, 2), (20000,), {0.0, 1.0}))
        self.assertAlmostEqual(np.mean(y), 0.5, delta=0.02)
        for label, centre in ((0, (-1, 0)), (1, (1, 1))):
            self.check_normal(x[y == label] - centre, 0.5)

    def test_init_params(self):
        for script in (linear, logistic):
            rng = np.random.default_rng(0)
            starts = np.array([np.hstack(start_of(script, rng)) for _ in range(9000)])
            self.assertEqual(starts.shape[1], {linear: 2, logistic: 3}[script])
            for column in starts.T:
                self.check_normal(column, 1)
            close(np.corrcoef(starts.T), np.eye(starts.shape[1]), 0, 0.05)
        W1, b1, W2, b2 = single.init_params(np.random.default_rng(0), 20000)
        self.assertEqual((W1.shape, b1.shape, W2.shape), ((1, 20000), (20000,), (20000, 1)))
        close([np.abs(W1).min(), np.abs(W1).max(), W1.mean()], [1, 1, 0], 0, 0.02)
        self.check_uniform(b1, -2, 2)
        self.check_normal(W2, 1 / np.sqrt(20000))
        np.testing.assert_array_equal(b2, [0])
        W1, b1, W2, b2 = multi.init_params(np.random.default_rng(0), 100, 400, 90)
        self.assertEqual((W1.shape, W2.shape), ((100, 400), (400, 90)))
        self.check_normal(W1, 0.1)
        self.check_normal(W2, 0.05)
        np.testing.assert_array_equal(b1, np.zeros(400))
        np.testing.assert_array_equal(b2, np.zeros(90))


class Common(unittest.TestCase):
    """common.py against Python's math, one number at a time."""

    z = np.array([-40.0, -9.5, -3, -1, -0.125, -1e-9, 1e-9, 0.5, 1, 2, 8.25, 37])

    def setUp(self):  # an overflow is an error, but not a number so small that it is 0
        flags = np.errstate(over="raise", invalid="raise", divide="raise")
        flags.__enter__()
        self.addCleanup(flags.__exit__, None, None, None)

    def test_sigmoid(self):
        for z in (*self.z, -700.0, -745.0, 700.0):
            expected = 1 / (1 + math.exp(-z)) if z > 0 else math.exp(z) / (1 + math.exp(z))
            close(common.sigmoid(np.array([[z]])), [[expected]], 1e-13, 5e-324)
        extremes = common.sigmoid(np.array([-1e308, -750, 0, 750, 1e308]))
        np.testing.assert_array_equal(extremes, [0, 0, 0.5, 1, 1])

    def test_activations(self):
        oracles = {"relu": lambda z: max(z, 0), "tanh": math.tanh, "identity": lambda z: z}
        for name, oracle in oracles.items():
            f, f_grad = getattr(common, name), getattr(common, f"{name}_grad")
            close(f(self.z), [oracle(z) for z in self.z], 1e-14, what=name)
            z = self.z[np.abs(self.z) > 0.1].reshape(2, 5)  # away from the kink
            close(f_grad(z), (f(z + 1e-6) - f(z - 1e-6)) / 2e-6, 1e-7, 1e-9, f"{name}_grad")
            self.assertEqual(f_grad(z).dtype, np.float64)
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

        z, y = [array.ravel() for array in np.meshgrid([*self.z, -700, 700], [0, 0.25, 1])]
        expected = [entropy(*pair) for pair in zip(z, y)]
        for i in range(z.size):
            close(common.bce_with_logits(z[i:i + 1], y[i:i + 1]), expected[i], 1e-13)
        close(common.bce_with_logits(z[:, None], y[:, None]), math.fsum(expected) / z.size)
        huge = np.array([1e308, -1e308])
        self.assertEqual(common.bce_with_logits(huge, np.array([1, 0])), 0)
        self.assertEqual(common.bce_with_logits(huge, np.array([0, 0])), 1e308 / 2)


class WrongInput(unittest.TestCase):
    """One clear error, never a silent number."""

    def refused(self, error, words, function, *args):
        with self.assertRaisesRegex(error, words), np.errstate(all="ignore"):
            quietly(function, *args)

    def test_losses(self):
        for loss in (common.mse, common.bce_with_logits):
            for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (1, 1)), ((2,), (3,))):
                words = re.escape(f"prediction {a}, y {b}") + r".*y\[:, None\]"
                self.refused(ValueError, words, loss, np.ones(a), np.ones(b))
            for shape in ((0,), (0, 1)):
                words = f"no samples.*{re.escape(str(shape))}"
                self.refused(ValueError, words, loss, np.ones(shape), np.ones(shape))
        for label in (2, -1, 1.0000001, -1e-9, np.nan, np.inf):
            labels = np.array([1, label])
            words = re.escape(f"labels must be in [0, 1], not from {labels.min()} to {labels.max()}")
            self.refused(ValueError, words, common.bce_with_logits, np.ones(2), labels)

    def test_train(self):
        for script in SCRIPTS:
            x, y = script.make_data(np.random.default_rng(0), 8)
            start = start_of(script, np.random.default_rng(0))
            turned = y.ravel() if y.ndim == 2 else y[:, None]
            for a, b in ((x, turned), (x[:5], y), (x, y[:5]), (x[:0], y[:0])):
                self.refused(ValueError, r"\(\d", train, script, start, a, b, 1, 0.01)
            if x.ndim == 2:
                x_wide = np.hstack([x, x])
                self.refused(ValueError, r"\d", train, script, start, x_wide, y, 1, 0.01)
            advice = ".*: lower learning_rate, or check x and y"
            for value in (np.nan, np.inf):
                x_bad = np.where(x == x.flat[3], value, x)
                words = f"epoch +1 .*loss (nan|inf){advice}"
                self.refused(FloatingPointError, words, train, script, start, x_bad, y, 2, 0.01)
            if script is not logistic:  # its gradient has a bound, and its loss no overflow
                words = rf"epoch +\d+ \| loss (nan|inf){advice}"
                self.refused(FloatingPointError, words, train, script, start, x, y, 999, 9.0)

    def test_04_checks_all_before_it_trains(self):
        x, y = multi.make_data(np.random.default_rng(0), 8)
        start, rng = start_of(multi, np.random.default_rng(0)), mock.Mock()
        for a, b in ((x, y.ravel()), (x[:5], y), (x[:, :4], y), (x[:0], y[:0])):
            self.refused(ValueError, r"\d", multi.train, start, x, y, a, b, rng, 1, 0.1, 4)
        for size in (0, -1):
            words = f"batch_size must be at least 1, not {size}"
            self.refused(ValueError, words, multi.train, start, x, y, x, y, rng, 1, 0.1, size)
        rng.permutation.assert_not_called()
        rng, words = np.random.default_rng(0), "epoch +1 .* test loss nan: lower"
        self.refused(FloatingPointError, words, multi.train, start, x, y, x, y * np.nan, rng, 1, 0.1, 4)


if __name__ == "__main__":
    unittest.main()
