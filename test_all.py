"""Run all scripts, and check their mathematics against independent computations.

Run: python test_all.py, or pytest test_all.py. The name of a class or a test runs that
alone: python test_all.py Gradients. The other options are those of unittest.
"""

import contextlib
import importlib
import inspect
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
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
os.environ["MPLBACKEND"] = "Agg"
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "2"

import matplotlib.pyplot as plt
import numpy as np
import common
from common import identity, relu, tanh

NAMES = ["01_linear_regression", "02_logistic_regression",
         "03_mlp_single_input", "04_mlp_multi_input"]
SCRIPTS = linear, logistic, single, multi = [importlib.import_module(n) for n in NAMES]


def same(found, expected, what, rtol=1e-12, atol=0):
    """Compare arrays or numbers, shapes included; in dicts and tuples, one by one."""
    if isinstance(expected, dict):
        for key, value in expected.items():
            same(found[key], value, f"{what}: {key}", rtol, atol)
    elif isinstance(expected, tuple):
        same(dict(enumerate(found)), dict(enumerate(expected)), what, rtol, atol)
    else:
        np.testing.assert_equal(np.shape(found), np.shape(expected), f"{what}: shape")
        np.testing.assert_allclose(found, expected, rtol, atol, err_msg=what)


def rms(error):
    return np.sqrt(np.mean(error**2))


def data_and_start(script, seed):
    rng = np.random.default_rng(seed)
    x, y = script.make_data(rng, script.N_SAMPLES)
    sizes = {single: [single.HIDDEN], multi: [5, multi.HIDDEN, 1]}.get(script, [])
    return x, y, script.init_params(rng, *sizes)


def train_04(seed):
    """Return 04's data for a seed, and what train makes of them, scaled."""
    rng = np.random.default_rng(seed)
    x, y = multi.make_data(rng, multi.N_SAMPLES)
    x_test, y_test = multi.make_data(rng, multi.N_TEST)
    start = multi.init_params(rng, 5, multi.HIDDEN, 1)
    pairs = ((x, x), (y, y), (x_test, x), (y_test, y))
    scaled = [(a - b.mean(axis=0)) / b.std(axis=0) for a, b in pairs]
    settings = multi.EPOCHS, multi.LEARNING_RATE, multi.BATCH_SIZE
    return x, y, x_test, y_test, *multi.train(start, *scaled, rng, *settings)


def problem(script, seed=1, n=7):
    """Return random params, x and y; no z1 of 03 and 04 is near relu's kink."""
    rng = np.random.default_rng(seed)
    if script in (linear, logistic):
        return script.init_params(rng), *script.make_data(rng, n)
    D, H, K = (1, 4, 1) if script is single else (3, 4, 2)
    params = [rng.normal(size=shape) for shape in ((D, H), (H,), (H, K), (K,))]
    return params, rng.normal(size=(n, D)), rng.normal(size=(n, K))


def least_squares(x, y):
    """Return the best fit to y: a slope for each column of x, then the offset."""
    return np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]


def start_python(folder, file):
    """Run a file in a folder, beside copies of the scripts, as if without a display.
    Warnings are errors, but for Matplotlib's own, of old names and of no display."""
    for name in (*NAMES, "common"):
        shutil.copy(HERE / f"{name}.py", folder)
    env = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    if sys.platform.startswith("linux"):
        del env["MPLBACKEND"]  # Matplotlib finds out by itself that there is no display
    env.update(PYTHONIOENCODING="ascii:strict", PYTHONDONTWRITEBYTECODE="1",
               OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    command = [sys.executable, "-Werror", "-Wignore::DeprecationWarning",
               "-Werror::DeprecationWarning:__main__",
               "-Wignore:FigureCanvasAgg is non-interactive",
               "-Wignore:Matplotlib is currently using agg", file]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=env, text=True, **pipes)


def epoch_lines(losses, *epochs):
    return [f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}" for epoch in epochs]


class Scripts(unittest.TestCase):
    """Each script runs, prints and draws, and its numbers are those of its data."""

    def check(self, script, lines, **expected):
        """Run it in a process of its own with one BLAS thread, and here with two."""
        name = script.__name__
        with tempfile.TemporaryDirectory() as folder:
            fresh = start_python(folder, f"{name}.py")
            with mock.patch("matplotlib.figure.Figure.savefig"):
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    left = runpy.run_path(str(HERE / f"{name}.py"), run_name="__main__")
            printed, errors = fresh.communicate()
            self.assertEqual((errors, fresh.returncode), ("", 0))
            new = {file.name for file in Path(folder).iterdir() if file.suffix != ".py"}
            self.assertEqual(new, {f"{name}.png"})
            self.assertEqual(plt.imread(Path(folder, f"{name}.png")).shape[1], 1600)
        self.assertEqual(printed.splitlines(), [*lines, f"saved {name}.png"])
        self.assertEqual(out.getvalue(), printed)
        same(left, expected, name, 1e-6, 1e-9)

    def test_01(self):
        x, y, start = data_and_start(linear, linear.SEED)
        best, lines, runs, paths = least_squares(x, y), [], {}, {}
        for rate, epochs in ((0.05, (1, 10, 100, 1000)), (0.005, (1, 10, 100, 1000)),
                             (0.25, (1, 10, 50))):
            _, runs[rate], paths[rate] = linear.train(start, x, y, epochs[-1], rate)
            lines += [f"learning rate {rate}", *epoch_lines(runs[rate], *epochs)]
        fits = {"learned": best, "least squares": best, "truth": (1, 5)}
        for name, (w, b) in fits.items():
            lines.append(f"{name:13} | w {w:.4f} (y per x) | b {b:.4f} (unit of y)")
        left = {"losses": runs[0.05], "path": paths[0.05], "runs": runs}
        self.check(linear, lines, x=x, y=y, params=best, **left)

    def test_02(self):
        x, y, start = data_and_start(logistic, logistic.SEED)
        fit, losses = logistic.train(start, x, y, 1000, 0.5)
        lines = epoch_lines(losses, 1, 3, 10, 30, 100, 300, 1000)
        lines.append("largest derivative | 0.0000000000")
        log_densities = [-((x - c) ** 2).sum(axis=1) / 2 for c in logistic.CENTRES]
        truth = least_squares(x, log_densities[1] - log_densities[0])
        for name, (w1, w2, b) in (("learned", np.hstack(fit)), ("truth", truth)):
            right = np.mean(np.sign(x @ [w1, w2] + b) == 2 * y - 1)
            numbers = f"w {w1:.4f} {w2:.4f} | b {b:.4f} | training accuracy {right:.3f}"
            lines.append(f"{name:7} | {numbers}")
        self.check(logistic, lines, x=x, y=y, params=tuple(fit), losses=losses)

    def test_03(self):
        x, y, start = data_and_start(single, single.SEED)
        lines, ends, runs = [], {}, {}
        for f in (relu, tanh, identity):
            params, losses = single.train(start, x, y, f, 4000, 0.03)
            runs[f] = tuple(params), losses
            lines += [f.__name__, *epoch_lines(losses, 1, 10, 100, 1000, 4000)]
            ends[f.__name__] = losses[-1] ** 0.5
        slope, offset = least_squares(x, y)
        ends["least squares"] = rms(slope * x + offset - y)
        ends["truth"] = rms(np.sin(x + x) - y)
        for name, rmse in ends.items():
            lines.append(f"{name:13} | training RMSE {rmse:.4f} (unit of y)")
        params, losses = runs[relu]
        self.check(single, lines, x=x, y=y, runs=runs, params=params, losses=losses)

    def test_04(self):
        x, y, x_test, y_test, params, losses, test_losses = train_04(multi.SEED)
        W1, b1, W2, b2 = params
        epochs = 1, 2, 5, 10, 20, 40, 60
        tests = [f"test loss {test_losses[epoch - 1]:.4g}" for epoch in epochs]
        lines = list(map(" | ".join, zip(epoch_lines(losses, *epochs), tests)))
        slopes = least_squares(x, y)

        def models(x_new):
            z1 = (x_new - x.mean(axis=0)) / x.std(axis=0) @ W1 + b1
            a, b, c, d, e = x_new.T
            truth = 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e
            y_scaled = np.where(z1 > 0, z1, 0) @ W2 + b2
            return {"network": y_scaled * y.std() + y.mean(), "truth": truth[:, None],
                    "straight line": x_new @ slopes[:5] + slopes[5]}

        errors = {name: y_pred - y_test for name, y_pred in models(x_test).items()}
        for name in ("network", "straight line", "truth"):
            lines.append(f"{name:13} | test RMSE {rms(errors[name]):.4f} (unit of y)")
        side = np.full((101, 5), 0.5)
        side[:, 2] = np.arange(101) / 100
        curves = {"training": losses, "test": test_losses}
        for name in ("straight line", "truth"):
            curves[name] = rms(errors[name] / y.std()) ** 2
        self.check(multi, lines, x=x, y=y, x_test=x_test, y_test=y_test, losses=losses,
                   params=tuple(params), y_test_pred=errors["network"] + y_test,
                   errors=errors, effects={"x3": side[:, 2], **models(side)},
                   curves=curves)


class Readme(unittest.TestCase):
    """What the README shows is what is printed: no result in it can go stale."""

    @classmethod
    def setUpClass(cls):
        if not (HERE / "README.md").exists():
            raise unittest.SkipTest("no README.md beside this file")
        text = (HERE / "README.md").read_text(encoding="utf-8")
        cls.blocks = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)
        cls.prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
        cls.sections = re.split(r"^## 0\d .*$", cls.prose, flags=re.M)[1:]
        cls.sources = {n: (HERE / f"{n}.py").read_text() for n in (*NAMES, "common")}

    def run_all(self, jobs):
        """Run each of (name, source, lines that it should print, in this order)."""
        def run(job):
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "job.py").write_text(job[1])
                process = start_python(folder, "job.py")
                return *process.communicate(), process.returncode

        with ThreadPoolExecutor(2) as pool:
            for (name, _, lines), result in zip(jobs, pool.map(run, jobs)):
                with self.subTest(name):
                    printed, *errors = result
                    self.assertEqual(errors, ["", 0])
                    printed = iter(printed.splitlines())
                    for line in lines:
                        self.assertIn(line, printed)

    def test_blocks(self):
        """Python blocks run, and print what the text block after them shows."""
        jobs, first = [], ""
        for (kind, code), after in zip(self.blocks, [*self.blocks[1:], ("", "")]):
            lines = after[1].splitlines() if after[0] == "text" else []
            if kind == "bat":  # its last command runs a script
                name = code.split()[-1][:-3]
                jobs.append((name, self.sources[name], lines))
            elif "import torch" in code:  # which need not be here, so check the numbers
                x, y, start = data_and_start(single, single.SEED)
                _, losses = single.train(start, x, y, relu, 4000, 0.03)
                self.assertEqual({line[-14:] for line in lines}, {f"{losses[-1]:.12f}"})
            elif kind == "python" and not any(code in s for s in self.sources.values()):
                first = code if code.startswith("import") else first
                source = code if code is first else first + code
                jobs.append((code[:60], source, lines))
        self.run_all(jobs)

    def test_experiments(self):
        """Each row | settings | line that is then printed | in the tables is true."""
        jobs, row = [], re.compile(r"^\| (`[A-Z].*?`) \| `(.*?)` \| ", re.M)
        for name, section in zip(NAMES, self.sections):
            runs, lines = {}, []
            for settings, line in row.findall(section):
                source = self.sources[name]
                for setting in re.findall("`(.*?)`", settings):
                    old = rf"^{setting.split(' = ')[0]} = [^#\n]*"
                    source, found = re.subn(old, f"{setting}  ", source, flags=re.M)
                    self.assertEqual(found, 1, setting)
                runs[settings] = f"exec({source!r}, {{'__name__': '__main__'}})"
                lines.append(line.replace("\\|", "|"))
            self.assertGreater(len(lines), 2)
            start = "from matplotlib.figure import Figure\n"
            start += "Figure.savefig = lambda *args, **named: None\n"  # draw only
            jobs.append((name, start + "\n".join(runs.values()), lines))
        self.run_all(jobs)

    def test_code_in_tables(self):
        for name, section in zip(NAMES, self.sections):
            for code in re.findall(r"^\| \$.*\$ \| `(.*?)` \|$", section, re.M):
                self.assertIn(f"    {code}", self.sources[name])
        bugs = re.findall(r"^\| `?(0\d|common).*? \| `(.*?)` \| `", self.prose, re.M)
        for file, code in bugs:
            sources = [s for name, s in self.sources.items() if name.startswith(file)]
            self.assertIn(code, sources[0])
        self.assertEqual(len(bugs), 5)

    def test_numbers(self):
        """Decimals are those of WorkedByHand, or settings of a script or experiment."""
        decimals, rest = re.compile(r"\d+\.\d+"), self.prose
        for i, section in enumerate(self.sections, start=1):
            by_hand = re.search(r"\*\*By hand.*?(?=\*\*Predict)", section, re.S)[0]
            checked = inspect.getsource(getattr(WorkedByHand, f"test_0{i}"))
            unchecked = Counter(decimals.findall(by_hand))
            unchecked.subtract(decimals.findall(checked))
            self.assertEqual(+unchecked, {}, f"0{i}")
            rest = rest.replace(by_hand, "")
        rows = re.findall(r"^\| (`[A-Z].*?`) \| `.*$", rest, re.M)
        known = decimals.findall("".join([*rows, *self.sources.values()]))
        rest = re.sub(r"^\| `[A-Z].*$", "", rest, flags=re.M)
        self.assertEqual(set(decimals.findall(rest)) - set(known), set())


class Gradients(unittest.TestCase):
    """loss_and_grads returns the derivatives of its loss, in the shape of params."""

    def test_against_differences(self):
        runs = [(linear, []), (logistic, []), (multi, [])]
        for script, more in runs + [(single, [f]) for f in single.DERIVATIVE]:
            params, x, y = problem(script)
            names = ("dw", "db") if len(params) == 2 else ("dW1", "db1", "dW2", "db2")
            for i, name in enumerate(names):
                activation = [f.__name__ for f in more]
                with self.subTest(f"{script.__name__}: {name}", activation=activation):
                    found = script.loss_and_grads(params, x, y, *more)[1][i]
                    measured = np.zeros(np.shape(params[i]))
                    for index in np.ndindex(measured.shape):
                        for step in (1e-5, -1e-5):
                            moved = [np.array(p) for p in params]
                            moved[i][index] += step
                            rise, _ = script.loss_and_grads(moved, x, y, *more)
                            measured[index] += rise / (2 * step)
                    same(found, measured, name, 1e-6, 1e-8)

    def test_03_and_04_agree_to_the_bit(self):
        params, x, y = problem(single)
        found = single.loss_and_grads(params, x, y, relu)
        same(found, multi.loss_and_grads(params, x, y), "03 and 04", 0)


class WorkedByHand(unittest.TestCase):
    """The examples that the README works out with pencil and paper."""

    def test_01(self):
        x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 4, 5, 9])
        y_pred = linear.forward((1, -3), x)
        same(y_pred, [-2, -1, 0, 1], "y_pred")
        same(2 / 4 * (y_pred - y), [-1, -2.5, -2.5, -4], "dy_pred")
        same(linear.loss_and_grads((1, -3), x, y), (29.5, (-29.5, -10)), "loss, grads")
        _, losses, path = linear.train((1, -3), x, y, 2, 0.04)
        same(path[1], [2.18, -2.6], "a step")
        same(losses[1], 3.653, "loss after it", 0, 0.0005)

    def test_02(self):
        x, y = np.array([[1.0, 2], [2, 1], [3, 2], [4, 1]]), np.array([0.0, 0, 1, 1])
        params = np.array([1.0, 1]), -4.0
        z_and_p = [-1, -1, 1, 1], [0.268941, 0.268941, 0.731059, 0.731059]
        same(logistic.forward(params, x), z_and_p, "z, p", 0, 5e-7)
        found = logistic.loss_and_grads(params, x, y)
        same(found, (0.313262, ([-0.268941, 0], 0)), "loss, grads", 0, 5e-7)

    def test_03(self):
        params = (np.array([[12.3, -9.2, 6.5, -4.7]]), np.array([5.0, -3, 0, 2]),
                  np.array([[-7.1], [13.2], [-4.5], [9.8]]), np.array([-1.0]))
        x, y = np.array([[2.0]]), np.array([[5.0]])
        values = [[29.6, -21.4, 13, -7.4]], [[29.6, 0, 13, 0]], [[-269.66]]
        same(single.forward(params, x, relu), values, "z1, a1, y_pred")
        grads = ([[7800.344, 0, 4943.88, 0]], [3900.172, 0, 2471.94, 0],
                 [[-16259.872], [0], [-7141.16], [0]], [-549.32])
        found = single.loss_and_grads(params, x, y, relu)
        same(found, (75438.1156, grads), "loss, grads")

    def test_04(self):
        W1 = [[0.2, -0.3, 0.6], [-0.5, 0.7, -0.1], [0.8, -0.2, 0.9], [1.0, 0.4, -0.7]]
        W2 = [[0.7, -0.2, 0.1, 0.3], [-0.3, 0.8, -0.4, 0.2], [0.5, -0.6, 0.9, -0.7]]
        b1, b2 = np.array([0.1, -0.2, 0.3, 0.5]), np.array([0.1, -0.2, 0.05])
        params = np.transpose(W1), b1, np.transpose(W2), b2
        x, y = np.array([[0.5, 1.2, 6]]), np.array([[2.0, 3, 4]])
        z1, _, y_pred = multi.forward(params, x)
        same(z1, [[3.44, -0.21, 5.86, -2.72]], "z1")
        same(y_pred, [[3.094, -3.576, 7.044]], "y_pred")
        loss, (_, db1, _, db2) = multi.loss_and_grads(params, x, y)
        same(loss, 17.902183, "loss", 0, 5e-7)
        same(db2, [0.729333, -4.384, 2.029333], "db2", 0, 5e-7)
        same(db1, [2.8404, 0, 3.652933, 0], "db1", 0, 5e-7)


class Training(unittest.TestCase):
    """Data and start, the steps of train and their ends are those that are promised."""

    def test_make_data_and_init_params(self):
        self.addCleanup(mock.patch.stopall)
        for script in SCRIPTS:
            mock.patch.object(script, "NOISE", 0.5).start()
        mock.patch.multiple(linear, TRUE_W=3, TRUE_B=7).start()
        found, rng = np.random.default_rng(0), np.random.default_rng(0)
        x = rng.uniform(0, 4, 6)
        y = 3 * x + 7 + 0.5 * rng.normal(size=6)
        same(linear.make_data(found, 6), (x, y), "01: data")
        same(linear.init_params(found), (rng.normal(), rng.normal()), "01: start")
        y = rng.integers(2, size=6)
        x = np.where(y[:, None] == 1, [1, 1], [-1, 0]) + 0.5 * rng.normal(size=(6, 2))
        same(logistic.make_data(found, 6), (x, y), "02: data")
        start = rng.normal(size=2), rng.normal()
        same(logistic.init_params(found), start, "02: start")
        x = rng.uniform(-2, 2, (6, 1))
        y = np.sin(x + x) + 0.5 * rng.normal(size=(6, 1))
        same(single.make_data(found, 6), (x, y), "03: data")
        start = (rng.choice([-1, 1], (1, 6)), rng.uniform(-2, 2, 6),
                 rng.normal(size=(6, 1)) / 6**0.5, [0])
        same(single.init_params(found, 6), start, "03: start")
        x = rng.uniform(size=(6, 5))
        y = [[10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e]
             for a, b, c, d, e in x]
        y += 0.5 * rng.normal(size=(6, 1))
        same(multi.make_data(found, 6), (x, y), "04: data")
        start = (rng.normal(size=(3, 6)) / 3**0.5, np.zeros(6),
                 rng.normal(size=(6, 2)) / 6**0.5, np.zeros(2))
        same(multi.init_params(found, 3, 6, 2), start, "04: start")

    def test_two_epochs_by_hand(self):
        for script in (linear, logistic, single):
            params, x, y = problem(script)
            path, losses, more = [params], [], [relu] if script is single else []
            for _ in range(2):
                loss, grads = script.loss_and_grads(path[-1], x, y, *more)
                path.append([p - 0.3 * g for p, g in zip(path[-1], grads)])
                losses.append(loss)
            found = script.train(params, x, y, *more, 2, 0.3)
            same(found[:2], (tuple(path[2]), losses), script.__name__)
            if script is linear:
                same(found[2], path[:2], "01: path")

    def test_mini_batches_by_hand(self):
        """Shuffled anew each epoch, a short last batch, and steps that shrink."""
        params, x, y = problem(multi)
        _, x_test, y_test = problem(multi, seed=9, n=4)
        for batch_size in (1, 3, 7, 100):
            expected, losses, test_losses = params, [], []
            rng, again = np.random.default_rng(3), np.random.default_rng(3)
            for rate in (0.03, 0.02, 0.01):
                order = rng.permutation(7)
                for batch in np.split(order, range(batch_size, 7, batch_size)):
                    _, grads = multi.loss_and_grads(expected, x[batch], y[batch])
                    expected = [p - rate * g for p, g in zip(expected, grads)]
                losses.append(multi.loss_and_grads(expected, x, y)[0])
                test_losses.append(multi.loss_and_grads(expected, x_test, y_test)[0])
            settings = x_test, y_test, again, 3, 0.03, batch_size
            found = multi.train(params, x, y, *settings)
            expected = tuple(expected), losses, test_losses
            same(found, expected, f"batches of {batch_size}", 1e-11)

    def test_01_to_03_end_where_they_should(self):
        for seed in (1, 2, 3):
            x, y, start = data_and_start(linear, seed)
            params, *_ = linear.train(start, x, y, 1000, 0.05)
            same(params, least_squares(x, y), "01", 0, 1e-6)
            x, y, start = data_and_start(logistic, seed)
            (w, b), _ = logistic.train(start, x, y, 1000, 0.5)
            miss = 1 / (1 + np.exp(-x @ w - b)) - y  # derivatives 0: maximum likelihood
            same([*miss @ x, miss.sum()], [0, 0, 0], "02", 0, 1e-4)
            x, y, start = data_and_start(single, seed)
            slope, offset = least_squares(x, y)
            params, _ = single.train(start, x, y, identity, 4000, 0.03)
            y_pred = single.forward(params, x, identity)[-1]
            same(y_pred, slope * x + offset, "03: identity", 0, 1e-9)
            for f in (relu, tanh):
                params, _ = single.train(start, x, y, f, 4000, 0.03)
                error = single.forward(params, x, f)[-1] - y
                same(rms(error), single.NOISE, f"03: {f.__name__}", 0.1)

    def test_04_ends_near_the_noise(self):
        for seed in (1, 2):
            x, y, x_test, y_test, params, *_ = train_04(seed)
            scaling = x.mean(axis=0), x.std(axis=0), y.mean(axis=0), y.std(axis=0)
            error = multi.predict(params, scaling, x_test) - y_test
            self.assertLess(rms(error), 1.1 * multi.NOISE, f"seed {seed}")


class Common(unittest.TestCase):
    """common.py against Python's math, one number at a time."""

    z = np.array([-40.0, -9.5, -3, -1, -0.125, -1e-9, 1e-9, 0.5, 1, 2, 8.25, 37])

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_sigmoid(self):
        for z in (*self.z, -700.0, -745.0, 700.0):
            e = math.exp(-abs(z))
            expected = 1 / (1 + e) if z > 0 else e / (1 + e)
            found = common.sigmoid(np.array([[z]]))
            same(found, [[expected]], "sigmoid", 1e-13, 5e-324)
        extremes = np.array([-1e308, -750, 0, 750, 1e308])
        same(common.sigmoid(extremes), [0, 0, 0.5, 1, 1], "sigmoid", 0)

    def test_activations(self):
        for name, oracle in (("relu", lambda z: max(z, 0)), ("tanh", math.tanh),
                             ("identity", lambda z: z)):
            f, f_grad = getattr(common, name), getattr(common, f"{name}_grad")
            same(f(self.z), [oracle(z) for z in self.z], name, 1e-14)
            z = self.z[np.abs(self.z) > 0.1].reshape(2, 5)  # away from the kink
            slopes = (f(z + 1e-6) - f(z - 1e-6)) / 2e-6
            same(f_grad(z), slopes, f"{name}_grad", 1e-7, 1e-9)
            self.assertEqual(f_grad(z).dtype, np.float64)
        kink = np.array([-5e-324, 0, 5e-324])
        same(common.relu(kink), [0, 0, 5e-324], "relu", 0)
        same(common.relu_grad(kink), [0, 0, 1], "relu_grad", 0)

    def test_mse(self):
        y_pred, y = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 0]])
        self.assertEqual(common.mse(y_pred, y), (0 + 4 + 9 + 16) / 4)
        self.assertEqual(common.mse(y_pred[0], y[0]), (0 + 4) / 2)

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_bce_with_logits(self):
        cases = [(z, y) for z in (*self.z, -700, 700) for y in (0, 0.25, 1)]
        expected = []
        for z, y in cases:
            of_1, of_0 = math.log1p(math.exp(-z)), math.log1p(math.exp(z))
            expected.append(y * of_1 + (1 - y) * of_0)
            found = common.bce_with_logits(np.array([z]), np.array([y]))
            same(found, expected[-1], f"z {z}, y {y}", 1e-13)
        z, y = np.array(cases).T
        found = common.bce_with_logits(z[:, None], y[:, None])
        same(found, sum(expected) / len(cases), "all")
        huge = np.array([1e308, -1e308])
        self.assertEqual(common.bce_with_logits(huge, np.array([1, 0])), 0)
        self.assertEqual(common.bce_with_logits(huge, np.array([0, 0])), 1e308 / 2)


class WrongInput(unittest.TestCase):
    """One clear error, never a silent number."""

    def refused(self, error, words, function, *args):
        with self.assertRaisesRegex(error, words), np.errstate(all="ignore"):
            function(*args)

    def test_losses(self):
        for loss in (common.mse, common.bce_with_logits):
            for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (1, 1))):
                words = re.escape(f"prediction {a}, y {b}") + r".*y\[:, None\]"
                self.refused(ValueError, words, loss, np.ones(a), np.ones(b))
            empty = np.ones((0, 1))
            self.refused(ValueError, r"no samples.*\(0, 1\)", loss, empty, empty)
        for label in (2, -1, 1.0000001, -1e-9, np.nan, np.inf):
            y = np.array([0.5, label])
            words = rf"labels must be in \[0, 1\], not from {y.min()} to {y.max()}"
            self.refused(ValueError, words, common.bce_with_logits, np.ones(2), y)

    def test_train(self):
        def train(x, y, rate):
            more = {single: [relu], multi: [x, y, np.random.default_rng(0)]}
            settings = [999, rate, 4] if script is multi else [999, rate]
            script.train(start, x, y, *more.get(script, []), *settings)

        soars = "loss (nan|inf).*: lower learning_rate, or check x and y"
        for script in SCRIPTS:
            x, y, start = data_and_start(script, 0)
            x, y = x[:8], y[:8]
            turned = y.ravel() if y.ndim == 2 else y[:, None]
            wide = np.hstack([x, x]) if x.ndim == 2 else x[:7]
            wrong = (x, turned), (x[:5], y), (x, y[:5]), (x[:0], y[:0]), (wide, y)
            for a, b in wrong:
                self.refused(ValueError, r"\d", train, a, b, 0.1)
            for value in (np.nan, np.inf):
                bad = np.where(x == x.flat[3], value, x)
                words = f"epoch +1 .*{soars}"
                self.refused(FloatingPointError, words, train, bad, y, 0.1)
            if script is not logistic:  # whose gradient has a bound
                self.refused(FloatingPointError, soars, train, x, y, 9)

    def test_04_checks_all_before_it_trains(self):
        x, y, start = data_and_start(multi, 0)

        def train(rng, x_test, y_test, batch_size=4):
            multi.train(start, x, y, x_test, y_test, rng, 1, 0.01, batch_size)

        rng = mock.Mock()
        for a, b in ((x, y.ravel()), (x[:5], y), (x[:, :4], y), (x[:0], y[:0])):
            self.refused(ValueError, r"\d", train, rng, a, b)
        for size in (0, -1):
            words = f"batch_size must be at least 1, not {size}"
            self.refused(ValueError, words, train, rng, x, y, size)
        rng.permutation.assert_not_called()
        words, rng = "epoch +1 .* test loss nan: lower", np.random.default_rng(0)
        self.refused(FloatingPointError, words, train, rng, x, y * np.nan)


if __name__ == "__main__":
    unittest.main(buffer=True, warnings="ignore")  # of scripts: see start_python
