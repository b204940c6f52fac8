"""Run the four scripts, and test what they print, draw and compute.

Run this with `python test_all.py`, or with pytest. `python test_all.py Gradients` runs
only one class, and `python test_all.py Gradients.test_03` runs only one test.
"""

# The next four lines are for `uv run`, which installs the packages that they name.
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
import contextlib
import difflib
import importlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path
from unittest import mock

os.environ["MPLBACKEND"] = "Agg"  # draw without a window
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np

import common

linear = importlib.import_module("01_linear_regression")
logistic = importlib.import_module("02_logistic_regression")
single = importlib.import_module("03_mlp_single_input")
multi = importlib.import_module("04_mlp_multi_input")


def run_in_a_fresh_process(name):
    """Run a script as its user does, and return what it printed.

    It runs without a display, in a folder where only common.py is beside it. It must
    end well, say nothing on stderr, print ASCII only, and save one picture.
    """
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    if sys.platform == "linux":  # here, Matplotlib finds out that there is no display
        for variable in ("MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY"):
            environment.pop(variable, None)
    no_window_1 = "-Wignore:FigureCanvasAgg is non-interactive"  # Matplotlib says so
    no_window_2 = "-Wignore:Matplotlib is currently using agg"  # older versions say so
    command = [sys.executable, "-B", no_window_1, no_window_2, f"{name}.py"]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(HERE / f"{name}.py", folder)
        shutil.copy(HERE / "common.py", folder)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        done = subprocess.run(command, cwd=folder, env=environment, **pipes)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"{name}.py failed, or warned:\n{done.stderr}")
        files = {path.name for path in Path(folder).iterdir()}
        if files != {f"{name}.py", "common.py", f"{name}.png"}:
            raise AssertionError(f"{name}.py left {files}")
        height, width, _ = plt.imread(Path(folder, f"{name}.png")).shape
        if (width, height) != (1600, 672):
            raise AssertionError(f"{name}.png has {width} x {height} pixels")
    return done.stdout


def run_here(name, **settings):
    """Run a script in this process, with some settings changed. Warnings are errors.

    Return all the names that it leaves, what it printed, and the panels of its figure.
    """
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    for setting, value in settings.items():
        line = re.compile(rf"^{setting} = .*", flags=re.MULTILINE)
        source, found = line.subn(f"{setting} = {value}", source)
        if found != 1:
            raise AssertionError(f"{name}.py has {found} lines {setting} = ...")

    names = {"__name__": "__main__"}
    plt.close("all")
    no_window = mock.patch("matplotlib.pyplot.show")
    no_file = mock.patch("matplotlib.figure.Figure.savefig")
    with no_window, no_file, plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(source, f"{name}.py", "exec"), names)
        plt.gcf().canvas.draw()
    return names, printed.getvalue(), plt.gcf().axes


def losses_in(text, name="loss"):
    """Return the losses in what a script printed, in order."""
    return [float(loss) for loss in re.findall(rf"\| {name} (\S+)", text)]


class Scripts(unittest.TestCase):
    """Each script runs, its loss drops, and it prints what it always prints."""

    def assert_drops(self, losses):
        self.assertLess(losses[-1], losses[0], "the loss must drop")

    def assert_prints(self, expected, printed):
        lines = expected.splitlines(), printed.splitlines()
        diff = difflib.unified_diff(*lines, "expected", "printed", n=0, lineterm="")
        text = "\n".join(diff)
        if text:
            self.fail(f"the script that should print {lines[0][-1]!r} differs:\n{text}")

    def test_01(self):
        printed = run_in_a_fresh_process("01_linear_regression")
        _, *converging, exploding = printed.split("learning rate ")
        for run in converging:
            self.assert_drops(losses_in(run))
        self.assertGreater(losses_in(exploding)[-1], losses_in(exploding)[0])
        self.assert_prints("""\
learning rate 0.05
epoch    1 | loss 27.45
epoch   10 | loss 2.54
epoch  100 | loss 1.03
epoch 1000 | loss 0.9934
learning rate 0.005
epoch    1 | loss 27.45
epoch   10 | loss 10.25
epoch  100 | loss 2.489
epoch 1000 | loss 1.03
learning rate 0.25
epoch    1 | loss 27.45
epoch   10 | loss 7.668e+07
epoch   50 | loss 5.982e+36
learned       | w 1.1308 (y per x) | b 4.7575 (unit of y)
least squares | w 1.1308 (y per x) | b 4.7575 (unit of y)
truth         | w 1.0000 (y per x) | b 5.0000 (unit of y)
saved 01_linear_regression.png
""", printed)

    def test_02(self):
        printed = run_in_a_fresh_process("02_logistic_regression")
        self.assert_drops(losses_in(printed))
        self.assert_prints("""\
epoch    1 | loss 1.591
epoch    3 | loss 0.9333
epoch   10 | loss 0.4154
epoch   30 | loss 0.3376
epoch  100 | loss 0.3308
epoch  300 | loss 0.3308
epoch 1000 | loss 0.3308
largest derivative | 0.0000000000
learned | w 1.9040 0.7999 | b -0.3110 | training accuracy 0.867
truth   | w 2.0000 1.0000 | b -0.5000 | training accuracy 0.877
saved 02_logistic_regression.png
""", printed)

    def test_03(self):
        printed = run_in_a_fresh_process("03_mlp_single_input")
        relu, rest = printed.split("tanh\n")
        tanh, rest = rest.split("identity\n")
        self.assert_drops(losses_in(relu))
        self.assert_drops(losses_in(tanh))
        self.assert_drops(losses_in(rest))
        self.assert_prints("""\
relu
epoch    1 | loss 1.39
epoch   10 | loss 0.431
epoch  100 | loss 0.2625
epoch 1000 | loss 0.04551
epoch 4000 | loss 0.04363
tanh
epoch    1 | loss 0.7329
epoch   10 | loss 0.4798
epoch  100 | loss 0.3071
epoch 1000 | loss 0.04681
epoch 4000 | loss 0.04539
identity
epoch    1 | loss 1.773
epoch   10 | loss 0.4713
epoch  100 | loss 0.4713
epoch 1000 | loss 0.4713
epoch 4000 | loss 0.4713
relu          | training RMSE 0.2089 (unit of y)
tanh          | training RMSE 0.2130 (unit of y)
identity      | training RMSE 0.6865 (unit of y)
least squares | training RMSE 0.6865 (unit of y)
truth         | training RMSE 0.2186 (unit of y)
saved 03_mlp_single_input.png
""", printed)

    def test_04(self):
        printed = run_in_a_fresh_process("04_mlp_multi_input")
        self.assert_drops(losses_in(printed))
        self.assert_drops(losses_in(printed, "test loss"))
        self.assert_prints("""\
epoch    1 | loss 0.09805 | test loss 0.111
epoch    2 | loss 0.06335 | test loss 0.06798
epoch    5 | loss 0.05087 | test loss 0.05351
epoch   10 | loss 0.04657 | test loss 0.04755
epoch   20 | loss 0.04699 | test loss 0.04923
epoch   40 | loss 0.04214 | test loss 0.04325
epoch   60 | loss 0.04152 | test loss 0.04304
network       | test RMSE 1.0385 (unit of y)
straight line | test RMSE 2.6662 (unit of y)
truth         | test RMSE 1.0041 (unit of y)
saved 04_mlp_multi_input.png
""", printed)


def curve(panel, label):
    """Return the x and y of the line whose label begins like this."""
    for line in panel.lines:
        if line.get_label().startswith(label):
            return np.ravel(line.get_xdata()), np.ravel(line.get_ydata())
    labels = [line.get_label() for line in panel.lines]
    raise AssertionError(f"no line has the label {label}, but there are {labels}")


def level(panel, label):
    """Return the height of a horizontal line."""
    return curve(panel, label)[1][0]


def corners(collections):
    """Return the points of drawn contour lines, (n, 2)."""
    paths = [path for collection in collections for path in collection.get_paths()]
    return np.concatenate([path.vertices for path in paths if len(path.vertices)])


class Figures(unittest.TestCase):
    """What is drawn is what was computed."""

    def test_01(self):
        names, printed, (lines, path, loss) = run_here("01_linear_regression")
        x, y = names["x"], names["y"]
        np.testing.assert_array_equal(curve(lines, "data"), (x, y))
        ends, y_true = curve(lines, "truth")
        np.testing.assert_allclose(y_true, 1 * ends + 5)
        for number, epoch in enumerate((1, 10, 100, 1000), start=1):
            w, b = names["path"][epoch - 1]
            line = lines.lines[number]
            self.assertEqual(line.get_label(), f"epoch {epoch}")
            np.testing.assert_allclose(line.get_ydata(), w * ends + b)
        self.assertIn(f"learned       | w {w:.4f} (y per x) | b {b:.4f}", printed)

        np.testing.assert_array_equal(np.transpose(curve(path, "path")), names["path"])
        star = np.ravel(curve(path, "least squares"))
        np.testing.assert_allclose(star, names["best"])
        dots = [line.get_xydata()[0] for line in path.lines if line.get_marker() == "o"]
        on_path = [names["path"][epoch - 1] for epoch in (1, 10, 100, 1000)]
        np.testing.assert_array_equal(dots, on_path)
        rings = corners(path.collections)
        distances = np.linalg.norm(rings - names["start"], axis=1)
        self.assertLess(distances.min(), 0.1)  # one ring goes through the start

        self.assertEqual(list(names["runs"]), [0.05, 0.005, 0.25])
        for line, losses in zip(loss.lines, names["runs"].values()):
            np.testing.assert_array_equal(line.get_xdata(), range(1, len(losses) + 1))
            np.testing.assert_array_equal(line.get_ydata(), losses)
        least = np.mean((np.polyval(np.polyfit(x, y, 1), x) - y) ** 2)
        self.assertAlmostEqual(level(loss, "least squares"), least, places=12)

    def test_02(self):
        names, printed, (plane, probability, costs) = run_here("02_logistic_regression")
        x, y, (w, b) = names["x"], names["y"], names["params"]
        z = x @ w + b
        for label in (0, 1):
            drawn = np.transpose(curve(plane, f"class {label}"))
            np.testing.assert_array_equal(drawn, x[y == label])
        mistakes = np.transpose(curve(plane, "mistake"))
        np.testing.assert_array_equal(mistakes, x[(z > 0) != (y == 1)])
        self.assertIn(f"training accuracy {1 - len(mistakes) / len(y):.3f}", printed)

        (truth,) = [line for line in plane.lines if line.get_label() == "truth"]
        on_screen = truth.get_transform().transform(truth.get_path().vertices)
        on_truth = plane.transData.inverted().transform(on_screen)
        true_w, true_b = names["true_params"]()
        np.testing.assert_allclose(on_truth @ true_w, [-true_b, -true_b])
        blue = matplotlib.colors.to_rgba("#0072B2")
        lines = [lines for lines in plane.collections if blue in lines.get_edgecolor()]
        lines_z = corners(lines) @ w + b  # log(p / (1 - p)) of 0.1, 0.5 and 0.9
        distances = np.abs(lines_z[:, None] - [-math.log(9), 0, math.log(9)])
        self.assertLess(distances.min(axis=1).max(), 0.1)

        z_grid, p_grid = curve(probability, "p")
        np.testing.assert_allclose(p_grid, [1 / (1 + math.exp(-z)) for z in z_grid])
        self.assertLess(np.diff(z_grid).max(), 0.05)
        z_means, shares = curve(probability, "share of class 1")
        self.assertAlmostEqual(z_means.mean(), z.mean())
        self.assertAlmostEqual(shares.mean(), y.mean())
        np.testing.assert_allclose(shares, 1 / (1 + np.exp(-z_means)), atol=0.1)

        drawn_costs = []
        for label, worst in ((0, "worst p = 0.97"), (1, "worst p = 0.01")):
            scores, own_costs = curve(costs, f"class {label}, {worst}")
            np.testing.assert_array_equal(scores, z[y == label])
            drawn_costs.extend(own_costs)
        for number, sign in ((0, 1), (2, -1)):  # the curves of class 0 and of class 1
            z_grid, cost_grid = costs.lines[number].get_data()
            expected = [math.log1p(math.exp(sign * z)) for z in z_grid]
            np.testing.assert_allclose(cost_grid, expected, atol=1e-12)
        self.assertAlmostEqual(np.mean(drawn_costs), names["losses"][-1])

    def test_03(self):
        names, printed, (fits, units, loss) = run_here("03_mlp_single_input")
        x, y = names["x"], names["y"]
        np.testing.assert_array_equal(curve(fits, "data"), (x[:, 0], y[:, 0]))
        grid, y_true = curve(fits, "truth")
        np.testing.assert_allclose(y_true, np.sin(2 * grid))
        for activation in ("relu", "tanh", "identity"):
            grid, y_grid = curve(fits, activation)
            y_fit = np.interp(x[:, 0], grid, y_grid)
            rmse = np.sqrt(np.mean((y_fit - y[:, 0]) ** 2))
            printed_rmse = re.search(rf"{activation} .* RMSE (\S+)", printed)[1]
            self.assertAlmostEqual(rmse, float(printed_rmse), places=3)
        for activation, (_, losses) in names["runs"].items():
            drawn = curve(loss, activation.__name__)
            np.testing.assert_array_equal(drawn, (range(1, 4001), losses))
        true_loss = np.mean((np.sin(2 * x) - y) ** 2)
        self.assertAlmostEqual(level(loss, "truth"), true_loss)

        W1, b1, W2, b2 = names["params"]
        grid, total = curve(units, "sum + b2")
        np.testing.assert_allclose(total, curve(fits, "relu")[1])
        added = sum(line.get_ydata() for line in units.lines[: len(b1)]) + b2
        np.testing.assert_allclose(added, total)
        bends = grid[1:-1][np.abs(np.diff(total, 2)) > 1e-9]
        dots, y_dots = curve(units, "a unit's z1 is 0")
        for bend in bends:
            self.assertLess(np.abs(dots - bend).min(), 0.011)  # one step of the grid
        zeros = -b1 / W1[0]
        self.assertEqual(len(dots), np.sum((zeros > x.min()) & (zeros < x.max())))
        np.testing.assert_allclose(y_dots, np.interp(dots, grid, total), atol=0.03)

    def test_04(self):
        names, printed, (histogram, effect, loss) = run_here("04_mlp_multi_input")
        x_test, y_test = names["x_test"], names["y_test"]
        x3, y_true = curve(effect, "truth")
        np.testing.assert_allclose(
            y_true, 10 * math.sin(math.pi / 4) + 20 * (x3 - 0.5) ** 2 + 7.5
        )
        x_grid = np.full((len(x3), 5), 0.5)
        x_grid[:, 2] = x3
        _, y_network = curve(effect, "network")
        np.testing.assert_array_equal(y_network, names["network"](x_grid)[:, 0])
        _, y_line = curve(effect, "straight line")
        np.testing.assert_array_equal(y_line, names["straight_line"](x_grid)[:, 0])

        _, losses = curve(loss, "training")
        epochs, test_losses = curve(loss, "test")
        self.assertEqual((epochs[0], epochs[-1]), (1, 60))
        last = f"epoch   60 | loss {losses[-1]:.4g} | test loss {test_losses[-1]:.4g}\n"
        self.assertIn(last, printed)
        y_std = names["y"].std()
        for name in ("truth", "straight line"):
            rmse = math.sqrt(level(loss, f"{name}, test")) * y_std
            self.assertIn(f"{name:13} | test RMSE {rmse:.4f}", printed)
        rmse = np.sqrt(np.mean((names["y_test_pred"] - y_test) ** 2))
        self.assertIn(f"network       | test RMSE {rmse:.4f}", printed)

        (truth_bars,) = histogram.containers
        heights = {"truth": [bar.get_height() for bar in truth_bars]}
        for outline in histogram.patches[len(truth_bars) :]:
            heights[outline.get_label()] = outline.get_xy()[1:101:2, 1]
        errors = {name: f(x_test) - y_test for name, f in names["models"].items()}
        bins = np.histogram_bin_edges(list(errors.values()), 50)
        self.assertAlmostEqual(truth_bars[0].get_x(), bins[0])
        for name, error in errors.items():
            expected, _ = np.histogram(error, bins, density=True)
            np.testing.assert_allclose(heights[name], expected, atol=1e-9)


class Settings(unittest.TestCase):
    """Settings that a learner will try: no warning, and a picture that is true."""

    def test_01(self):
        name = "01_linear_regression"
        _, _, (lines, path, loss) = run_here(name, LEARNING_RATE=0.16)
        for panel in (lines, path):  # what explodes is cut off
            self.assertLess(np.abs(panel.get_ylim()).max(), 20)
        self.assertEqual(len(curve(loss, "rate 0.16")[0]), 1000)
        _, printed, _ = run_here(name, LEARNING_RATE=0.005)
        self.assertEqual(printed.count("learning rate 0.005"), 1)
        _, _, panels = run_here(name, LEARNING_RATE=0.25, EPOCHS=100)
        self.assertEqual(len(curve(panels[2], "rate 0.25")[0]), 100)
        run_here(name, EPOCHS=0)
        run_here(name, EPOCHS=1, NOISE=0)

    def test_02(self):
        name = "02_logistic_regression"
        _, printed, _ = run_here(name, NOISE=0)
        self.assertIn("truth   | w inf inf | b -inf | training accuracy 1.000", printed)
        _, _, panels = run_here(name, N_SAMPLES=3)  # they are all of class 1
        labels = [line.get_label() for line in panels[2].lines]
        self.assertEqual([label for label in labels if "class 0" in label], [])
        _, _, panels = run_here(name, LEARNING_RATE=100)
        z_grid, p_grid = curve(panels[1], "p")
        np.testing.assert_allclose(p_grid, common.sigmoid(z_grid))
        run_here(name, EPOCHS=0)
        run_here(name, EPOCHS=1)

    def test_03(self):
        name = "03_mlp_single_input"
        _, printed, panels = run_here(name, LEARNING_RATE=0.3, EPOCHS=50)
        self.assertRegex(printed, r"identity\n.*\nepoch.*loss inf: is there NaN")
        self.assertNotIn("identity", [line.get_label() for line in panels[0].lines])
        with self.assertRaisesRegex(FloatingPointError, "none of the networks"):
            run_here(name, LEARNING_RATE=1000)

        _, printed, panels = run_here(name, EPOCHS=1, DERIVATIVE="{tanh: tanh_grad}")
        self.assertNotIn("relu", printed)
        self.assertEqual(panels[1].get_title(), "tanh units (pale) add up")
        added = "{relu: relu_grad, np.sin: np.cos}"
        _, printed, panels = run_here(name, EPOCHS=1, DERIVATIVE=added)
        self.assertIn("sin           | training RMSE", printed)
        self.assertEqual(len(curve(panels[0], "sin")[0]), 401)
        run_here(name, EPOCHS=0)

    def test_04(self):
        run_here("04_mlp_multi_input", EPOCHS=0)
        run_here("04_mlp_multi_input", EPOCHS=1, NOISE=0)

    def test_cells(self):
        """Each cell of a script runs when the cells above it have."""
        for script in (linear, logistic, single, multi):
            names = {"__name__": "cells"}
            source = Path(script.__file__).read_text(encoding="utf-8")
            for cell in re.split("^(?=# %%)", source, flags=re.MULTILINE):
                exec(cell, names)


def small_problem(script):
    """Return random params of 01 or 02, and seven samples for them."""
    rng = np.random.default_rng(1)
    x, y = script.make_data(rng, 7)
    return script.init_params(rng), x, y


def random_problem(D, H, K):
    """Return random params of a two-layer network, and seven samples for it.

    With this seed, no z1 is so near to 0 that a nudge would cross the kink of relu.
    """
    rng = np.random.default_rng(1)
    params = [rng.normal(size=shape) for shape in ((D, H), (H,), (H, K), (K,))]
    return params, rng.normal(size=(7, D)), rng.normal(size=(7, K))


def measured_gradient(loss, params, number):
    """Return how the loss changes when each entry of params[number] is nudged."""
    gradient = np.zeros(np.shape(params[number]))
    for index in np.ndindex(gradient.shape):
        losses = []
        for nudge in (1e-5, -1e-5):
            moved = [np.array(param) for param in params]
            moved[number][index] += nudge
            losses.append(loss(moved))
        gradient[index] = (losses[0] - losses[1]) / 2e-5
    return gradient


class Gradients(unittest.TestCase):
    """loss_and_grads returns the derivatives of its loss, each in its param's shape."""

    def wrong_gradients(self, script, params, x, y, *activation):
        """Compare with differences of the loss. Return what is wrong, by name."""

        def loss(moved_params):
            return script.loss_and_grads(moved_params, x, y, *activation)[0]

        _, grads = script.loss_and_grads(params, x, y, *activation)
        names = ("dw", "db") if len(params) == 2 else ("dW1", "db1", "dW2", "db2")
        wrong = {}
        for number, name in enumerate(names):
            grad = np.array(grads[number])
            right = measured_gradient(loss, params, number)
            if grad.shape != right.shape:
                wrong[name] = f"has the shape {grad.shape}, not {right.shape}"
            elif not np.allclose(grad, right, rtol=1e-6, atol=1e-8):
                found, expected = grad.ravel()[:4], right.ravel()[:4]
                wrong[name] = f"begins with {found}\n  instead of {expected}"
        return wrong

    def check(self, script, wrong):
        lines = [f"{name} {what}" for name, what in wrong.items()]
        if lines:
            heading = f"wrong gradients in {script.__name__}.py:"
            self.fail("\n".join([heading, *lines]))

    def test_01(self):
        params, x, y = small_problem(linear)
        self.check(linear, self.wrong_gradients(linear, params, x, y))

    def test_02(self):
        params, x, y = small_problem(logistic)
        self.check(logistic, self.wrong_gradients(logistic, params, x, y))

    def test_03(self):
        params, x, y = random_problem(D=1, H=4, K=1)
        wrong = {}
        for activation in single.DERIVATIVE:
            found = self.wrong_gradients(single, params, x, y, activation)
            for name, what in found.items():  # one report for each gradient is enough
                wrong.setdefault(name, f"(with {activation.__name__}) {what}")
        self.check(single, wrong)

    def test_04(self):
        params, x, y = random_problem(D=3, H=4, K=2)
        self.check(multi, self.wrong_gradients(multi, params, x, y))


class Training(unittest.TestCase):
    """The steps of train, and what it returns, against steps taken one by one."""

    def check(self, script, start, x, y, *activation):
        """Compare two epochs of train with two steps. Return what train returned."""
        found = script.train(start, x, y, *activation, 2, 0.3)
        params = start
        losses = []
        for _ in range(2):
            loss, grads = script.loss_and_grads(params, x, y, *activation)
            losses.append(loss)
            params = [param - 0.3 * grad for param, grad in zip(params, grads)]
        for found_param, param in zip(found[0], params):
            np.testing.assert_allclose(found_param, param, rtol=1e-12)
        np.testing.assert_allclose(found[1], losses, rtol=1e-12)
        return found

    def test_01(self):
        start, x, y = small_problem(linear)
        _, losses, path = self.check(linear, start, x, y)
        self.assertEqual(len(path), 2)
        self.assertEqual(path[0], start)
        self.assertEqual(linear.loss_and_grads(path[1], x, y)[0], losses[1])

    def test_02(self):
        self.check(logistic, *small_problem(logistic))

    def test_03(self):
        start, x, y = random_problem(D=1, H=4, K=1)
        for activation in single.DERIVATIVE:
            self.check(single, start, x, y, activation)

    def test_04(self):
        """Shuffled anew in each epoch, a short last batch, and steps that shrink."""
        start, x, y = random_problem(D=3, H=4, K=2)
        x_test, y_test = x[:4] + 1, y[:4] - 1
        for batch_size in (1, 3, 7, 100):
            data = x, y, x_test, y_test
            settings = np.random.default_rng(3), 3, 0.03, batch_size
            found, losses, test_losses = multi.train(start, *data, *settings)
            rng = np.random.default_rng(3)
            params = start
            for epoch, rate in enumerate((0.03, 0.02, 0.01)):
                order = rng.permutation(7)
                for batch in np.split(order, range(batch_size, 7, batch_size)):
                    _, grads = multi.loss_and_grads(params, x[batch], y[batch])
                    params = [param - rate * grad for param, grad in zip(params, grads)]
                loss, _ = multi.loss_and_grads(params, x, y)
                test_loss, _ = multi.loss_and_grads(params, x_test, y_test)
                self.assertAlmostEqual(losses[epoch], loss, places=11)
                self.assertAlmostEqual(test_losses[epoch], test_loss, places=11)
            for number in range(4):
                np.testing.assert_allclose(found[number], params[number], rtol=1e-10)

    def test_04_predict(self):
        """predict takes and gives data in their own units, also for a single sample."""
        params, x, _ = random_problem(D=3, H=4, K=2)
        x_mean, x_std = np.array([1.0, 2, 3]), np.array([2.0, 4, 5])
        y_mean, y_std = np.array([1.0, 1]), np.array([3.0, 7])
        scaling = x_mean, x_std, y_mean, y_std
        _, _, y_scaled = multi.forward(params, (x - [1, 2, 3]) / [2, 4, 5])
        y_pred = multi.predict(params, scaling, x)
        np.testing.assert_allclose(y_pred, y_scaled * [3, 7] + 1)
        np.testing.assert_allclose(multi.predict(params, scaling, x[0]), y_pred[0])


class Common(unittest.TestCase):
    """common.py against Python's math, one number at a time."""

    z = np.array([-40.0, -9.5, -3, -1, -0.125, -1e-9, 1e-9, 0.5, 1, 2, 8.25, 37])

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_sigmoid(self):
        for z in (*self.z, -700.0, -745.0, 700.0):
            e = math.exp(-abs(z))
            expected = 1 / (1 + e) if z > 0 else e / (1 + e)
            found = common.sigmoid(np.array([[z]]))
            np.testing.assert_allclose(found, [[expected]], rtol=1e-13, atol=5e-324)
        extremes = common.sigmoid(np.array([-1e308, -750, 0, 750, 1e308]))
        np.testing.assert_array_equal(extremes, [0, 0, 0.5, 1, 1])

    def check_activation(self, activation, derivative, oracle):
        expected = [oracle(z) for z in self.z]
        np.testing.assert_allclose(activation(self.z), expected, rtol=1e-14)
        z = self.z[np.abs(self.z) > 0.1].reshape(2, 5)  # away from the kink of relu
        slopes = (activation(z + 1e-6) - activation(z - 1e-6)) / 2e-6
        np.testing.assert_allclose(derivative(z), slopes, rtol=1e-7, atol=1e-9)
        self.assertEqual(derivative(z).dtype, np.float64)

    def test_relu(self):
        self.check_activation(common.relu, common.relu_grad, lambda z: max(z, 0))
        kink = np.array([-5e-324, 0, 5e-324])
        np.testing.assert_array_equal(common.relu(kink), [0, 0, 5e-324])
        np.testing.assert_array_equal(common.relu_grad(kink), [0, 0, 1])

    def test_tanh(self):
        self.check_activation(common.tanh, common.tanh_grad, math.tanh)

    def test_identity(self):
        self.check_activation(common.identity, common.identity_grad, lambda z: z)

    def test_mse(self):
        y_pred, y = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 0]])
        self.assertEqual(common.mse(y_pred, y), (0 + 4 + 9 + 16) / 4)
        self.assertEqual(common.mse(y_pred[0], y[0]), (0 + 4) / 2)

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_bce_with_logits(self):
        costs = []
        scores, labels = np.meshgrid([*self.z, -700, 700], [0, 0.25, 1])
        for z, y in zip(scores.flat, labels.flat):
            cost = y * math.log1p(math.exp(-z)) + (1 - y) * math.log1p(math.exp(z))
            found = common.bce_with_logits(np.array([z]), np.array([y]))
            self.assertTrue(math.isclose(found, cost, rel_tol=1e-13), f"z {z}, y {y}")
            costs.append(cost)
        mean = common.bce_with_logits(scores, labels)
        self.assertAlmostEqual(mean, sum(costs) / len(costs), places=11)
        huge = np.array([1e308, -1e308])
        self.assertEqual(common.bce_with_logits(huge, np.array([1, 0])), 0)
        self.assertEqual(common.bce_with_logits(huge, np.array([0, 0])), 1e308 / 2)


class WrongInput(unittest.TestCase):
    """Wrong input gets one clear error that says what to do, never a silent number."""

    advice = "is there NaN or infinity in x or y. If not, lower learning_rate"

    def check_loss(self, loss):
        remedies = "y[:, None] makes a flat y a column, y[:, 0] makes a column flat"
        for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (1, 1))):
            words = re.escape(f"prediction {a}, y {b}; {remedies}")
            with self.assertRaisesRegex(ValueError, words):
                loss(np.ones(a), np.ones(b))
        with self.assertRaisesRegex(ValueError, r"no samples.*\(0, 1\)"):
            loss(np.ones((0, 1)), np.ones((0, 1)))

    def test_mse(self):
        self.check_loss(common.mse)

    def test_bce_with_logits(self):
        self.check_loss(common.bce_with_logits)
        for label in (2, -1, 1.0000001, -1e-9, np.nan, np.inf):
            y = np.array([0.5, label])
            words = rf"labels must be in \[0, 1\], not from {y.min()} to {y.max()}"
            with self.assertRaisesRegex(ValueError, words):
                common.bce_with_logits(np.ones(2), y)

    @np.errstate(all="ignore")
    def check_train(self, train, x, y, rate_that_explodes):
        """Try shapes that do not fit, NaN and infinity in x, and too large a rate."""
        turned = y[:, 0] if y.ndim == 2 else y[:, None]
        for wrong_x, wrong_y in ((x, turned), (x[:5], y), (x, y[:5]), (x[:0], y[:0])):
            with self.assertRaises(ValueError):
                train(wrong_x, wrong_y, 0.1)
        for value in (np.nan, np.inf):
            wrong_x = np.where(x == x.flat[3], value, x)
            words = f"epoch    1 .*{self.advice}"
            with self.assertRaisesRegex(FloatingPointError, words):
                train(wrong_x, y, 0.1)
        if rate_that_explodes:
            words = f"loss (inf|nan).*{self.advice}"
            with self.assertRaisesRegex(FloatingPointError, words):
                train(x, y, rate_that_explodes)

    def test_01(self):
        start, x, y = small_problem(linear)

        def train(x, y, rate):
            linear.train(start, x, y, 999, rate)

        self.check_train(train, x, y, 9.0)

    def test_02(self):
        start, x, y = small_problem(logistic)

        def train(x, y, rate):
            logistic.train(start, x, y, 9, rate)

        self.check_train(train, x, y, None)  # it cannot explode: p - y has a bound

    def test_03(self):
        start, x, y = random_problem(D=1, H=4, K=1)

        def train(x, y, rate):
            single.train(start, x, y, common.relu, 999, rate)

        self.check_train(train, x, y, 9.0)

    def test_04(self):
        start, x, y = random_problem(D=3, H=4, K=2)
        rng = np.random.default_rng(0)

        def train(x, y, rate):
            multi.train(start, x, y, x, y, rng, 999, rate, 4)

        self.check_train(train, x, y, 9.0)
        with self.assertRaisesRegex(FloatingPointError, "test loss nan: is there NaN"):
            multi.train(start, x, y, x, y * np.nan, rng, 1, 0.1, 4)

    def test_04_refuses_before_the_first_step(self):
        start, x, y = random_problem(D=3, H=4, K=2)
        rng = mock.Mock()
        for x_test, y_test in ((x, y[:, 0]), (x[:5], y), (x[:, :2], y), (x[:0], y[:0])):
            with self.assertRaises(ValueError):
                multi.train(start, x, y, x_test, y_test, rng, 1, 0.1, 4)
        for size in (0, -1):
            words = f"batch_size must be at least 1, not {size}"
            with self.assertRaisesRegex(ValueError, words):
                multi.train(start, x, y, x, y, rng, 1, 0.1, size)
        rng.permutation.assert_not_called()

    def test_04_predict(self):
        params, x, _ = random_problem(D=5, H=4, K=1)
        scaling = np.zeros(5), np.ones(5), np.zeros(1), np.ones(1)
        for wrong in (x[0][:, None], 0.5, np.array(0.5), x[:, :4], np.ones((5, 1))):
            shape = np.shape(wrong)
            words = re.escape(f"x must be (n, 5), or (5,) for one, not {shape}")
            with self.assertRaisesRegex(ValueError, words):
                multi.predict(params, scaling, wrong)


if __name__ == "__main__":
    unittest.main(buffer=True)
