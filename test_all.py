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

import numpy as np
import common
from common import identity, relu, tanh

NAMES = ["01_linear_regression", "02_logistic_regression",
         "03_mlp_single_input", "04_mlp_multi_input"]
SCRIPTS = linear, logistic, single, multi = [importlib.import_module(n) for n in NAMES]
PARAMS = dict(zip(SCRIPTS, ("w b", "w b", "W1 b1 W2 b2", "W1 b1 W2 b2")))


def close(found, expected, rtol=1e-12, atol=0, what=""):
    np.testing.assert_allclose(found, expected, rtol, atol, err_msg=what)


def rms(error):
    return np.sqrt(np.mean(error**2))


def quietly(function, *args):
    """Return what function returns, and keep from the screen what it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args)


def train(script, start, x, y, activation=relu, epochs=None, learning_rate=None):
    """Train with any script: 03 with an activation, 04 in batches, tested on x, y."""
    settings = [epochs or script.EPOCHS, learning_rate or script.LEARNING_RATE]
    if script is single:
        settings = [activation, *settings]
    if script is multi:
        settings = [x, y, np.random.default_rng(0), *settings, 4]
    return quietly(script.train, start, x, y, *settings)


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
    return x, y, x_test, y_test, *quietly(multi.train, start, *scaled, rng, *settings)


def problem(script, seed=1, n=7):
    """Return random params, x and y; no z1 of 03 and 04 is near relu's kink."""
    rng = np.random.default_rng(seed)
    if script in (linear, logistic):
        return script.init_params(rng), *script.make_data(rng, n)
    D, H, K = (1, 4, 1) if script is single else (3, 4, 2)
    params = [rng.normal(size=shape) for shape in ((D, H), (H,), (H, K), (K,))]
    return params, rng.normal(size=(n, D)), rng.normal(size=(n, K))


def epoch_lines(losses, *epochs):
    return [f"epoch {epoch:4d} | loss {losses[epoch - 1]:.4g}" for epoch in epochs]


def least_squares(x, y):
    """Return x with a column of ones, and the coefficients of the best fit to y."""
    ones = np.column_stack([x, np.ones(len(x))])
    return ones, np.linalg.lstsq(ones, y, rcond=None)[0]


def run_python(folder, *command):
    """Run Python in a folder with copies of the scripts, as if there were no display.
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
               "-Wignore:Matplotlib is currently using agg", *command]
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

    def check(self, script, lines, params, **expected):
        """Check what a script prints, and the numbers that it leaves to play with."""
        name = script.__name__
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            left = runpy.run_path(HERE / f"{name}.py", run_name="__main__")
        run, folder = self.runs[name], self.folder / name
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout.splitlines(), [*lines, f"saved {name}.png"])
        self.assertEqual(out.getvalue(), run.stdout)
        self.assertEqual({path.suffix for path in folder.iterdir()}, {".py", ".png"})
        picture = (folder / f"{name}.png").read_bytes()
        width = int.from_bytes(picture[16:20], "big")
        self.assertEqual((picture[1:4], width), (b"PNG", 1600))
        for what, p, q in zip(PARAMS[script].split(), left["params"], params):
            close(p, q, 1e-6, 1e-9, f"{name}: {what}")
        for key, wanted in expected.items():
            wanted = wanted if isinstance(wanted, dict) else {0: wanted}
            found = left[key] if isinstance(left[key], dict) else {0: left[key]}
            for what in wanted:
                close(found[what], wanted[what], 1e-6, 1e-9, f"{name}: {key} {what}")

    def test_01(self):
        x, y, start = data_and_start(linear, linear.SEED)
        _, best = least_squares(x, y)
        lines = []
        for rate, epochs in ((0.005, (1, 10, 100, 1000)), (0.25, (1, 10, 50)),
                             (0.05, (1, 10, 100, 1000))):
            _, losses, path = train(linear, start, x, y, None, epochs[-1], rate)
            lines += [f"learning rate {rate}", *epoch_lines(losses, *epochs)]
        fits = {"learned": best, "least squares": best, "truth": (1, 5)}
        for name, (w, b) in fits.items():
            lines.append(f"{name:13} | w {w:.4f} (y per x) | b {b:.4f} (unit of y)")
        self.check(linear, lines, best, x=x, y=y, losses=losses, path=path)

    def test_02(self):
        x, y, start = data_and_start(logistic, logistic.SEED)
        fit, losses = train(logistic, start, x, y)
        lines = epoch_lines(losses, 1, 3, 10, 30, 100, 300, 1000)
        lines.append("largest derivative | 0.0000000000")
        log_densities = [-((x - c) ** 2).sum(axis=1) / 2 for c in logistic.CENTRES]
        _, truth = least_squares(x, log_densities[1] - log_densities[0])
        for name, (w1, w2, b) in (("learned", np.hstack(fit)), ("truth", truth)):
            right = np.mean(np.sign(x @ [w1, w2] + b) == 2 * y - 1)
            numbers = f"w {w1:.4f} {w2:.4f} | b {b:.4f} | training accuracy {right:.3f}"
            lines.append(f"{name:7} | {numbers}")
        self.check(logistic, lines, fit, x=x, y=y, losses=losses)

    def test_03(self):
        x, y, start = data_and_start(single, single.SEED)
        lines, ends, runs = [], [], {}
        for f in (relu, tanh, identity):
            runs[f] = _, losses = train(single, start, x, y, f)
            lines += [f.__name__, *epoch_lines(losses, 1, 10, 100, 1000, 4000)]
            ends.append(f"{f.__name__:13} | training RMSE {losses[-1] ** 0.5:.4f}")
        ones, line = least_squares(x, y)
        ends.append(f"least squares | training RMSE {rms(ones @ line - y):.4f}")
        ends.append("noise         | standard deviation 0.2000, all in the unit of y")
        params, losses = runs[relu]
        self.check(single, lines + ends, params, x=x, y=y, losses=losses)

    def test_04(self):
        x, y, x_test, y_test, (W1, b1, W2, b2), *losses = train_04(multi.SEED)
        lines = [f"{line} | test loss {losses[1][int(line[5:10]) - 1]:.4g}"
                 for line in epoch_lines(losses[0], 1, 2, 5, 10, 20, 40, 60)]
        _, slopes = least_squares(x, y)

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
        curves = {"training": losses[0], "test": losses[1],
                  "straight line": rms(errors["straight line"]) ** 2 / y.var(),
                  "truth": rms(errors["truth"]) ** 2 / y.var()}
        effects = {"x3": side[:, 2], **models(side)}
        params, y_test_pred = (W1, b1, W2, b2), errors["network"] + y_test
        self.check(multi, lines, params, x=x, y=y, x_test=x_test, y_test=y_test,
                   y_test_pred=y_test_pred, losses=losses[0], errors=errors,
                   effects=effects, curves=curves)


# Runs a script with changed settings, again and again, and draws, but saves no picture
EXPERIMENTS = """
from matplotlib.figure import Figure
Figure.savefig = lambda *args, **named: None
for source in {}:
    exec(source, {{"__name__": "__main__"}})
"""


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
        cls.sources = {name: (HERE / f"{name}.py").read_text() for name in NAMES}
        cls.sources["common"] = (HERE / "common.py").read_text()

    def run_all(self, jobs):
        """Run each of (name, source, lines that it should print, in this order)."""
        def run(job):
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "job.py").write_text(job[1])
                return run_python(Path(folder), "job.py")

        with ThreadPoolExecutor(2) as pool:
            for (name, _, lines), result in zip(jobs, pool.map(run, jobs)):
                with self.subTest(name):
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                    printed = iter(result.stdout.splitlines())
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
                loss = train(single, start, x, y)[1][-1]
                self.assertEqual({line[-14:] for line in lines}, {f"{loss:.12f}"})
            elif kind == "python" and not any(code in s for s in self.sources.values()):
                first = code if code.startswith("import") else first
                source = code if code is first else first + code
                jobs.append((code[:60], source, lines))
        self.run_all(jobs)

    def test_experiments(self):
        """Each row | settings | line that is then printed | in the tables is true."""
        jobs, row = [], re.compile(r"^\| (`[A-Z].*?`) \| `(.*?)` \| ", re.M)
        for name, section in zip(NAMES, self.sections):
            sources, lines = {}, []
            for settings, line in row.findall(section):
                source = self.sources[name]
                for setting in re.findall("`(.*?)`", settings):
                    old = rf"^{setting.split(' = ')[0]} = [^#\n]*"
                    source, found = re.subn(old, f"{setting}  ", source, flags=re.M)
                    self.assertEqual(found, 1, setting)
                sources[settings] = source
                lines.append(line.replace("\\|", "|"))
            self.assertGreater(len(lines), 2)
            jobs.append((name, EXPERIMENTS.format(list(sources.values())), lines))
        self.run_all(jobs)

    def test_code_in_tables(self):
        for name, section in zip(NAMES, self.sections):
            for code in re.findall(r"^\| \$.*\$ \| `(.*?)` \|$", section, re.M):
                self.assertIn(f"    {code}", self.sources[name])
        bugs = re.findall(r"^\| `?(0\d|common).*? \| `(.*?)` \| `", self.prose, re.M)
        for file, code in bugs:
            self.assertTrue(any(s.count(code) for name, s in self.sources.items()
                                if name.startswith(file)), code)
        self.assertEqual(len(bugs), 5)

    def test_numbers(self):
        """Decimals are those of WorkedByHand, or settings of a script or experiment."""
        decimals, rest = re.compile(r"\d+\.\d+"), self.prose
        for i, section in enumerate(self.sections, start=1):
            by_hand = re.search(r"\*\*By hand.*?(?=\*\*Predict)", section, re.S)[0]
            checked = inspect.getsource(getattr(WorkedByHand, f"test_0{i}"))
            unchecked = Counter(decimals.findall(by_hand))
            unchecked.subtract(decimals.findall(checked))
            self.assertLessEqual(max(unchecked.values()), 0, f"0{i}: {unchecked}")
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
            for i, name in enumerate(PARAMS[script].split()):
                with self.subTest(f"{script.__name__}: d{name}", more=more):
                    found = script.loss_and_grads(params, x, y, *more)[1][i]
                    measured = np.zeros(np.shape(params[i]))
                    for index in np.ndindex(measured.shape):
                        for step in (1e-5, -1e-5):
                            moved = [np.array(p) for p in params]
                            moved[i][index] += step
                            rise, _ = script.loss_and_grads(moved, x, y, *more)
                            measured[index] += rise / (2 * step)
                    self.assertEqual(np.shape(found), measured.shape)
                    close(found, measured, 1e-6, 1e-8)

    def test_03_and_04_agree_to_the_bit(self):
        params, x, y = problem(single)
        loss, grads = single.loss_and_grads(params, x, y, relu)
        same_loss, same_grads = multi.loss_and_grads(params, x, y)
        for found, same in zip((loss, *grads), (same_loss, *same_grads)):
            np.testing.assert_array_equal(found, same)


class WorkedByHand(unittest.TestCase):
    """The examples that the README works out with pencil and paper."""

    def check(self, found, expected, decimals=10):
        close(found, expected, 0, 0.5001 * 10.0**-decimals)

    def test_01(self):
        x, y = np.array([1.0, 2, 3, 4]), np.array([0.0, 4, 5, 9])
        self.check(linear.forward((1, -3), x), [-2, -1, 0, 1])
        loss, (dw, db) = linear.loss_and_grads((1, -3), x, y)
        self.check([loss, dw, db], [29.5, -29.5, -10])
        self.check(2 / 4 * (linear.forward((1, -3), x) - y), [-1, -2.5, -2.5, -4])
        _, losses, path = train(linear, (1, -3), x, y, None, 2, 0.04)
        self.check(path[1], [2.18, -2.6])
        self.check(losses[1], 3.653, 3)

    def test_02(self):
        x, y = np.array([[1.0, 2], [2, 1], [3, 2], [4, 1]]), np.array([0.0, 0, 1, 1])
        params = np.array([1.0, 1]), -4.0
        z, p = logistic.forward(params, x)
        self.check(z, [-1, -1, 1, 1])
        self.check(p, [0.268941, 0.268941, 0.731059, 0.731059], 6)
        loss, (dw, db) = logistic.loss_and_grads(params, x, y)
        self.check([loss, *dw, db], [0.313262, -0.268941, 0, 0], 6)

    def test_03(self):
        params = (np.array([[12.3, -9.2, 6.5, -4.7]]), np.array([5.0, -3, 0, 2]),
                  np.array([[-7.1], [13.2], [-4.5], [9.8]]), np.array([-1.0]))
        x, y = np.array([[2.0]]), np.array([[5.0]])
        z1, a1, y_pred = single.forward(params, x, relu)
        self.check(z1, [[29.6, -21.4, 13, -7.4]])
        self.check(a1, [[29.6, 0, 13, 0]])
        self.check(y_pred, [[-269.66]])
        loss, (dW1, db1, dW2, db2) = single.loss_and_grads(params, x, y, relu)
        self.check(loss, 75438.1156, 8)
        self.check(dW2[:, 0], [-16259.872, 0, -7141.16, 0])
        self.check(db2, [-549.32])
        self.check(dW1[0], [7800.344, 0, 4943.88, 0])
        self.check(db1, [3900.172, 0, 2471.94, 0])

    def test_04(self):
        W1 = [[0.2, -0.3, 0.6], [-0.5, 0.7, -0.1], [0.8, -0.2, 0.9], [1.0, 0.4, -0.7]]
        W2 = [[0.7, -0.2, 0.1, 0.3], [-0.3, 0.8, -0.4, 0.2], [0.5, -0.6, 0.9, -0.7]]
        b1, b2 = np.array([0.1, -0.2, 0.3, 0.5]), np.array([0.1, -0.2, 0.05])
        params = np.transpose(W1), b1, np.transpose(W2), b2
        x, y = np.array([[0.5, 1.2, 6]]), np.array([[2.0, 3, 4]])
        z1, _, y_pred = multi.forward(params, x)
        self.check(z1, [[3.44, -0.21, 5.86, -2.72]])
        self.check(y_pred, [[3.094, -3.576, 7.044]])
        loss, (_, db1, _, db2) = multi.loss_and_grads(params, x, y)
        self.check([loss, *db2], [17.902183, 0.729333, -4.384, 2.029333], 6)
        self.check(db1, [2.8404, 0, 3.652933, 0], 6)


class Training(unittest.TestCase):
    """Data and start, the steps of train and their ends are those that are promised."""

    def same(self, function, sizes, *expected):
        for found, wanted in zip(function(self.rng, *sizes), expected):
            self.assertEqual(np.shape(found), np.shape(wanted), function)
            close(found, wanted, what=f"{function.__module__}: {function.__name__}")

    def test_make_data_and_init_params(self):
        self.rng, rng = np.random.default_rng(0), np.random.default_rng(0)
        self.addCleanup(mock.patch.stopall)
        for script in SCRIPTS:
            mock.patch.object(script, "NOISE", 0.5).start()
        mock.patch.multiple(linear, TRUE_W=3, TRUE_B=7).start()
        x = rng.uniform(0, 4, 6)
        self.same(linear.make_data, [6], x, 3 * x + 7 + 0.5 * rng.normal(size=6))
        self.same(linear.init_params, [], rng.normal(), rng.normal())
        y = rng.integers(2, size=6)
        x = np.where(y[:, None] == 1, [1, 1], [-1, 0]) + 0.5 * rng.normal(size=(6, 2))
        self.same(logistic.make_data, [6], x, y)
        self.same(logistic.init_params, [], rng.normal(size=2), rng.normal())
        x = rng.uniform(-2, 2, (6, 1))
        y = np.sin(x + x) + 0.5 * rng.normal(size=(6, 1))
        self.same(single.make_data, [6], x, y)
        self.same(single.init_params, [6], rng.choice([-1, 1], (1, 6)),
                  rng.uniform(-2, 2, 6), rng.normal(size=(6, 1)) / 6**0.5, [0])
        x = rng.uniform(size=(6, 5))
        y = [[10 * math.sin(math.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e]
             for a, b, c, d, e in x]
        self.same(multi.make_data, [6], x, y + 0.5 * rng.normal(size=(6, 1)))
        self.same(multi.init_params, [3, 6, 2], rng.normal(size=(3, 6)) / 3**0.5,
                  np.zeros(6), rng.normal(size=(6, 2)) / 6**0.5, np.zeros(2))

    def test_two_epochs_by_hand(self):
        for script in (linear, logistic, single):
            params, x, y = problem(script)
            path, losses, more = [params], [], [relu] if script is single else []
            for _ in range(2):
                loss, grads = script.loss_and_grads(path[-1], x, y, *more)
                path.append([p - 0.3 * g for p, g in zip(path[-1], grads)])
                losses.append(loss)
            trained, found, *found_path = train(script, params, x, y, relu, 2, 0.3)
            close(found, losses, what=script.__name__)
            for name, p, q in zip(PARAMS[script].split(), trained, path[2]):
                close(p, q, what=f"{script.__name__}: {name}")
            if script is linear:
                close(found_path, [path[:2]])

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
            trained, *found = quietly(multi.train, params, x, y, *settings)
            close(found, [losses, test_losses], 1e-11)
            for name, p, q in zip("W1 b1 W2 b2".split(), trained, expected):
                close(p, q, 1e-11, what=f"04: {name}, batches of {batch_size}")

    def test_01_to_03_end_where_they_should(self):
        for seed in (1, 2, 3):
            x, y, start = data_and_start(linear, seed)
            close(train(linear, start, x, y)[0], np.polyfit(x, y, 1), 0, 1e-6, "01")
            x, y, start = data_and_start(logistic, seed)
            (w, b), _ = train(logistic, start, x, y)
            miss = 1 / (1 + np.exp(-x @ w - b)) - y  # derivatives 0: maximum likelihood
            close([*miss @ x, miss.sum()], 0, 0, 1e-4, "02")
            x, y, start = data_and_start(single, seed)
            line = np.polyval(np.polyfit(x[:, 0], y[:, 0], 1), x)
            params, _ = train(single, start, x, y, identity)
            close(single.forward(params, x, identity)[-1], line, 0, 1e-9, "03")
            for f in (relu, tanh):
                error = single.forward(train(single, start, x, y, f)[0], x, f)[-1] - y
                close(rms(error), single.NOISE, 0.1, what=f"03, {f.__name__}")

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
            close(common.sigmoid(np.array([[z]])), [[expected]], 1e-13, 5e-324)
        extremes = np.array([-1e308, -750, 0, 750, 1e308])
        close(common.sigmoid(extremes), [0, 0, 0.5, 1, 1], 0)

    def test_activations(self):
        for name, oracle in (("relu", lambda z: max(z, 0)), ("tanh", math.tanh),
                             ("identity", lambda z: z)):
            f, f_grad = getattr(common, name), getattr(common, f"{name}_grad")
            close(f(self.z), [oracle(z) for z in self.z], 1e-14, what=name)
            z = self.z[np.abs(self.z) > 0.1].reshape(2, 5)  # away from the kink
            slopes = (f(z + 1e-6) - f(z - 1e-6)) / 2e-6
            close(f_grad(z), slopes, 1e-7, 1e-9, f"{name}_grad")
            self.assertEqual(f_grad(z).dtype, np.float64)
        kink = np.array([-5e-324, 0, 5e-324])
        close(common.relu(kink), [0, 0, 5e-324], 0)
        close(common.relu_grad(kink), [0, 0, 1], 0)

    def test_mse(self):
        y_pred, y = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 0]])
        self.assertEqual(common.mse(y_pred, y), (0 + 4 + 9 + 16) / 4)
        self.assertEqual(common.mse(y_pred[0], y[0]), (0 + 4) / 2)

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_bce_with_logits(self):
        def entropy(z, y):
            return y * math.log1p(math.exp(-z)) + (1 - y) * math.log1p(math.exp(z))

        z, y = np.meshgrid([*self.z, -700, 700], [0, 0.25, 1])
        z, y = z.ravel(), y.ravel()
        expected = [entropy(*pair) for pair in zip(z, y)]
        for i in range(z.size):
            close(common.bce_with_logits(z[i:i + 1], y[i:i + 1]), expected[i], 1e-13)
        close(common.bce_with_logits(z[:, None], y[:, None]), sum(expected) / z.size)
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
        for script in SCRIPTS:
            x, y, start = data_and_start(script, 0)
            x, y = x[:8], y[:8]

            def refused(error, words, *args, script=script, start=start):
                self.refused(error, words, train, script, start, *args)

            turned = y.ravel() if y.ndim == 2 else y[:, None]
            wide = np.hstack([x, x]) if x.ndim == 2 else x[:7]
            wrong = (x, turned), (x[:5], y), (x, y[:5]), (x[:0], y[:0]), (wide, y)
            for a, b in wrong:
                refused(ValueError, r"\d", a, b, relu, 1)
            words = "loss (nan|inf).*: lower learning_rate, or check x and y"
            for value in (np.nan, np.inf):
                bad = np.where(x == x.flat[3], value, x)
                refused(FloatingPointError, f"epoch +1 .*{words}", bad, y, relu, 2)
            if script is not logistic:  # whose gradient has a bound
                refused(FloatingPointError, words, x, y, relu, 999, 9)

    def test_04_checks_all_before_it_trains(self):
        x, y, start = data_and_start(multi, 0)
        rng = mock.Mock()

        def refused(error, words, x_test, y_test, *settings):
            settings = start, x, y, x_test, y_test, *settings
            self.refused(error, words, multi.train, *settings)

        for a, b in ((x, y.ravel()), (x[:5], y), (x[:, :4], y), (x[:0], y[:0])):
            refused(ValueError, r"\d", a, b, rng, 1, 0.1, 4)
        for size in (0, -1):
            words = f"batch_size must be at least 1, not {size}"
            refused(ValueError, words, x, y, rng, 1, 0.1, size)
        rng.permutation.assert_not_called()
        words, rng = "epoch +1 .* test loss nan: lower", np.random.default_rng(0)
        refused(FloatingPointError, words, x, y * np.nan, rng, 1, 0.01, 4)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # those of scripts are errors, in run_python
