"""Run the four scripts, and test what they compute and print.

Run this with `python test_all.py`, or with pytest. `python test_all.py Gradients` runs
only one class, and `python test_all.py Gradients.test_03` only one test. A script that
fails is skipped in the classes below, so what stands first is what to fix.
"""

import difflib
import importlib
import io
import itertools
import linecache
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback
import unittest
import warnings
from pathlib import Path
from unittest import mock

os.environ["MPLBACKEND"] = "Agg"  # draw without a window
import matplotlib.pyplot as plt
import numpy as np
import common

linear = importlib.import_module("01_linear_regression")
logistic = importlib.import_module("02_logistic_regression")
single = importlib.import_module("03_mlp_single_input")
multi = importlib.import_module("04_mlp_multi_input")
__unittest = True  # so unittest leaves the lines of this file out of its reports


class EachScript:
    """Four tests, one for each script. A class says in its check what they test."""

    failed = set()  # the scripts that failed in a class above

    def check_or_skip(self, script):
        if script in self.failed:
            self.skipTest(f"{script.__name__}.py: see the first report")
        self.failed.add(script)
        self.check(script)
        self.failed.remove(script)  # not reached if the check fails

    def assert_prints(self, expected, text, heading):
        diff = difflib.ndiff(expected.splitlines(), text.splitlines())
        lines = [line for line in diff if line[0] in "-+"]
        if lines:
            self.fail("\n".join([f"{heading}: - expected, + printed", *lines]))

    def test_01(self):
        self.check_or_skip(linear)

    def test_02(self):
        self.check_or_skip(logistic)

    def test_03(self):
        self.check_or_skip(single)

    def test_04(self):
        self.check_or_skip(multi)


def problem(script):
    """Return random params, x and y. With these, no z1 is near the kink of relu."""
    shapes = {
        linear: [(), (), (7,), (7,)],
        logistic: [(2,), (), (7, 2), (7,)],
        single: [(1, 4), (4,), (4, 1), (1,), (7, 1), (7, 1)],
        multi: [(3, 4), (4,), (4, 2), (2,), (7, 3), (7, 2)],
    }
    rng = np.random.default_rng(1)
    *params, x, y = [rng.normal(size=shape) for shape in shapes[script]]
    return params, x, (y > 0).astype(float) if script is logistic else y


def activations(script):
    """Return what follows x and y in a call: in 03 one of these, elsewhere nothing."""
    return [[function] for function in single.DERIVATIVE] if script is single else [[]]


def train(script, params, x, y, x_test, y_test, rate=0.3):
    """Train for two epochs, and return the params. Only 04 takes test data."""
    rest = *activations(script)[0], 2, rate
    if script is multi:
        rest = x_test, y_test, np.random.default_rng(3), 2, rate, 4
    with mock.patch("sys.stdout", io.StringIO()):  # what it prints does not matter
        return script.train(params, x, y, *rest)[0]


def printed(function, *arguments):
    """Return what a function prints."""
    with mock.patch("sys.stdout", io.StringIO()) as text:
        function(*arguments)
    return text.getvalue()


class Common(unittest.TestCase):
    """common.py against Python's math, one number at a time."""

    numbers = (-700, -30, -1, -0.125, 0, 1e-9, 2, 30, 700)

    def test_activations(self):
        for function, oracle in (
            (common.sigmoid, lambda z: 1 / (1 + math.exp(-z))),
            (common.relu, lambda z: max(z, 0)),
            (common.relu_grad, lambda z: float(z > 0)),
            (common.tanh, math.tanh),
            (common.tanh_grad, lambda z: 1 - math.tanh(z) ** 2),
        ):
            found = function(np.array(self.numbers))
            self.assertEqual(found.dtype, float, function.__name__)
            for z, value in zip(self.numbers, found):
                if not math.isclose(value, oracle(z), rel_tol=1e-13, abs_tol=1e-320):
                    self.fail(f"{function.__name__}({z}) is {value}, not {oracle(z)}")

    @np.errstate(over="raise", invalid="raise", divide="raise")
    def test_losses(self):
        y_pred, y = np.array([[1.0, 2], [3, 4]]), np.array([[1.0, 0], [0, 0]])
        self.assertEqual(common.mse(y_pred, y), (0 + 4 + 9 + 16) / 4)
        for z, y in itertools.product(self.numbers, (0, 0.25, 1)):
            cost = y * math.log1p(math.exp(-z)) + (1 - y) * math.log1p(math.exp(z))
            found = common.bce_with_logits(np.array([z, z]), np.array([y, y]))
            self.assertTrue(math.isclose(found, cost, rel_tol=1e-13), f"z {z}, y {y}")
        far = np.array([-1e308, 1e308])
        np.testing.assert_array_equal(common.sigmoid(far), [0, 1])
        self.assertEqual(common.bce_with_logits(far, np.array([1, 1])), 1e308 / 2)


class Gradients(EachScript, unittest.TestCase):
    """loss_and_grads returns the derivatives of its loss, each in its param's shape."""

    def check(self, script):
        reports = [self.report(script, *more) for more in activations(script)]
        for report, activation in zip(reports, activations(script)):
            if report:
                only = "" if all(reports) else f", with {activation[0].__name__}"
                units = ", 4 units" if script in (single, multi) else ""
                self.fail(f"{script.__name__}.py{only}, 7 samples{units}:\n{report}")
        # If the loss never changes, check_gradient must measure 0.
        data = *problem(script), *activations(script)[0]
        constant = mock.Mock(return_value=script.loss_and_grads(*data))
        with mock.patch.object(script, "loss_and_grads", constant):
            text = printed(script.check_gradient, *data)
        wrong = re.sub(r"d\w+ +-?\d+\.\d+ \| measured +0\.0000\n", "", text)
        self.assertEqual(wrong, "", f"check_gradient of {script.__name__}.py")

    def report(self, script, *activation):
        """Return what is wrong with the gradients, or nothing."""
        params, *data = *problem(script), *activation
        names = ["dw", "db"] if len(params) == 2 else ["dW1", "db1", "dW2", "db2"]
        try:
            loss, grads = script.loss_and_grads(params, *data)
            if np.ndim(loss) != 0 or len(grads) != len(names):
                raise ValueError(f"loss {np.shape(loss)}, {len(grads)} gradients")
        except Exception as error:
            must = f"loss_and_grads must return the loss and ({', '.join(names)})"
            return f"{self.where_it_failed(script, error) or must}\n{error!r}"
        lines = []
        triples = list(zip(names, grads, self.measured(script, params, *data)))
        for name, grad, right in triples[2:] + triples[:2]:  # dW2 before dW1
            line = f"{name} is right"
            if np.shape(grad) != right.shape:
                line = f"{name} has the shape {np.shape(grad)}, not {right.shape}"
            elif not np.allclose(grad, right, rtol=1e-6, atol=1e-8):
                wrong = ~np.isclose(grad, right, rtol=1e-6, atol=1e-8)
                found, expected = np.array(grad)[wrong][:4], right[wrong][:4]
                line = f"{name} is wrong: {found}\n  it should be: {expected}"
            lines.append(line)
        return "" if all("is right" in line for line in lines) else "\n".join(lines)

    def where_it_failed(self, script, error):
        """Return the line of the script that raised the error, and the shapes in it."""
        lines = []
        for frame, number in traceback.walk_tb(error.__traceback__):
            if frame.f_code.co_filename == script.__file__:
                code = linecache.getline(script.__file__, number).split("#")[0].strip()
                lines = [f"line {number}: {code}"]
                for name, value in frame.f_locals.items():
                    if name in re.findall(r"\w+", code) and hasattr(value, "shape"):
                        lines.append(f"  {name} has the shape {value.shape}")
        return "\n".join(lines)

    def measured(self, script, params, *data):
        """Return how fast the loss rises when each entry of each param is nudged."""
        slopes = [np.zeros(np.shape(param)) for param in params]
        for number, slope in enumerate(slopes):
            for index, h in itertools.product(np.ndindex(slope.shape), (1e-5, -1e-5)):
                moved = [np.array(param) for param in params]
                moved[number][index] += h
                slope[index] += script.loss_and_grads(moved, *data)[0] / (2 * h)
        return slopes


class Training(EachScript, unittest.TestCase):
    """Each step of train goes down the gradient, and leaves the start as it was."""

    def check(self, script):
        start, x, y = problem(script)
        steps = [(0.3, slice(7))] * 2
        if script is multi:  # shuffled anew, a short last batch, and steps that shrink
            rng = np.random.default_rng(3)
            steps = [(0.3, batch) for batch in np.split(rng.permutation(7), [4])]
            steps += [(0.15, batch) for batch in np.split(rng.permutation(7), [4])]
        found = train(script, start, x, y, x, y)
        params = start
        for rate, batch in steps:
            data = x[batch], y[batch], *activations(script)[0]
            _, grads = script.loss_and_grads(params, *data)
            params = [param - rate * grad for param, grad in zip(params, grads)]
        for one, other in zip(found, params):
            if not np.allclose(one, other, rtol=1e-12, atol=0):
                self.fail(f"{script.__name__}.py: train leads to {one}\n  not {other}")


class WrongInput(EachScript, unittest.TestCase):
    """Wrong input gets one clear error that says what to do, never a silent number."""

    @np.errstate(over="raise", invalid="raise")  # no warning comes before the error
    def check(self, script):
        start, x, y = problem(script)
        turned = y[:, 0] if y.ndim == 2 else y[:, None]
        for data in ((x, turned), (x[:5], y), (x, y[:5]), (x[:0], y[:0])):
            self.assertRaises(ValueError, train, script, start, *data, x, y)
        advice = "lower learning_rate, or look for NaN and infinity in x and y"
        words = f"epoch +[12] .*loss (nan|inf).*: {advice}"
        wrong = [(x * np.nan, 0.1), (x * np.inf, 0.1), (x, 1e200)]
        for wrong_x, rate in wrong[: 2 if script is logistic else 3]:  # 02 is bounded
            data = script, start, wrong_x, y, x, y, rate
            self.assertRaisesRegex(FloatingPointError, words, train, *data)
        if script is multi:
            self.check_04(start, x, y)

    def check_04(self, params, x, y):
        for x_test, y_test in ((x, y[:, 0]), (x[:5], y), (x[:, :2], y), (x[:0], y[:0])):
            data = params, x, y, x_test, y_test, None  # without rng, no epoch can begin
            self.assertRaises(ValueError, multi.train, *data, 1, 0.1, 4)
        self.assertRaisesRegex(ValueError, "at least 1", multi.train, *data, 1, 0.1, 0)
        data = multi, params, x, y, x, y * 1e200
        self.assertRaisesRegex(FloatingPointError, "test loss inf: lower", train, *data)
        # x may be a single sample (D,), but it must not have another width.
        scaling = multi.fit_scaling(x, y)
        x_scaled, y_scaled = multi.scale(x, y, scaling)
        np.testing.assert_allclose(y_scaled.mean(axis=0), 0, atol=1e-12)
        self.assertRaises(ValueError, multi.scale, x, y, multi.fit_scaling(x, 0 * y))
        y_pred = multi.forward(params, x_scaled)[-1] * scaling[3] + scaling[2]
        np.testing.assert_allclose(multi.predict(params, scaling, x[0]), y_pred[0])
        for wrong in (x[0][:, None], x[:, :2], np.ones(1)):
            words = f"3.*{re.escape(str(wrong.shape))}"  # what it must be, what it is
            data = params, scaling, wrong
            self.assertRaisesRegex(ValueError, words, multi.predict, *data)
            self.assertRaisesRegex(ValueError, words, multi.scale, wrong, y, scaling)

    def test_losses(self):
        advice = "y[:, None] makes a flat y a column, y[:, 0] makes a column flat"
        for loss in (common.mse, common.bce_with_logits):
            for a, b in (((3,), (3, 1)), ((3, 1), (3,)), ((3, 1), (1, 1))):
                words = re.escape(f"shapes differ: prediction {a}, y {b}; {advice}")
                self.assertRaisesRegex(ValueError, words, loss, np.ones(a), np.ones(b))
            self.assertRaisesRegex(ValueError, "no samples", loss, *np.ones((2, 0, 1)))
        for label in (1.0000001, -1e-9, np.nan):
            y = np.array([0.5, label])
            words = rf"labels must be in \[0, 1\], not from {y.min()} to {y.max()}"
            self.assertRaisesRegex(ValueError, words, common.bce_with_logits, y, y)


class Scripts(EachScript, unittest.TestCase):
    """Run side by side as a user runs them, the scripts print what they should."""

    @classmethod
    def setUpClass(cls):
        command = [sys.executable, "-Wignore:FigureCanvasAgg", "-Wignore:Matplotlib is"]
        ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with tempfile.TemporaryDirectory() as folder:
            options = {"cwd": folder, "env": ascii_only, **pipes}
            shutil.copy(common.__file__, folder)
            files = [shutil.copy(script.__file__, folder) for script in PRINTED]
            started = [subprocess.Popen([*command, file], **options) for file in files]
            texts = [process.communicate() for process in started]
            cls.pictures = [path.stem for path in Path(folder).glob("*.png")]
        cls.results = dict(zip(PRINTED, zip(started, texts)))

    def check(self, script):
        name = script.__name__
        process, (text, errors) = self.results[script]
        if process.returncode != 0 or errors:
            self.fail(f"{name}.py failed, or warned:\n{errors}")
        self.assert_prints(PRINTED[script].split("\n\n")[0], text, f"{name}.py")
        losses = re.findall(rf"epoch +(?:1|{script.EPOCHS}) \| loss (\S+)", text)
        self.assertLess(float(losses[1]), float(losses[0]), f"{name}.py: it must drop")
        self.assertIn(name, self.pictures, "the picture that it saves")


def run(script, settings, look=None):
    """Run a script here. Return its text and its names. look is given what it saves."""
    source = Path(script.__file__).read_text(encoding="utf-8")
    above, below = source.split("# %% Data")
    source = above + settings.replace("\n", "; ") + below
    names = {"__name__": "__main__"}
    window = mock.patch.object(plt, "show")
    file = mock.patch.object(plt.Figure, "savefig", autospec=True, side_effect=look)
    with window as show, file as save, plt.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)
        text = printed(exec, compile(source, script.__file__, "exec"), names)
    show.assert_called_once_with()
    save.assert_called_once()
    return text, names


class Settings(EachScript, unittest.TestCase):
    """With all settings changed at once, a script prints what it should."""

    def check(self, script):
        _, settings, expected = PRINTED[script].split("\n\n")
        text, names = run(script, settings)
        self.assert_prints(expected, text, f"{script.__name__}.py with\n{settings}")
        self.assertLessEqual({"x", "y", "params"}, set(names), "there to play with")
        self.assertIn(f"| loss {names['losses'][-1]:.4g}", text)


# What the scripts print, other settings, and what they print with these
PRINTED = {
    linear: """\
dw -23.1666 | measured -23.1666
db -10.1830 | measured -10.1830
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
learned       | w 1.1308 | b 4.7575
least squares | w 1.1308 | b 4.7575
truth         | w 1.0000 | b 5.0000
saved 01_linear_regression.png

SEED = 3; N_SAMPLES = 25; NOISE = 0.7; LEARNING_RATE = 0.005; EPOCHS = 3
TRUE_W, TRUE_B = -1.5, 2.5

dw -0.4706 | measured -0.4706
db -2.1265 | measured -2.1265
learning rate 0.005
epoch    1 | loss 4.112
epoch    3 | loss 4.066
learning rate 0.25
epoch    1 | loss 4.112
epoch   10 | loss 2137
epoch   50 | loss 1.824e+23
learned       | w -0.1994 | b -0.8944
least squares | w -1.6204 | b 2.7952
truth         | w -1.5000 | b 2.5000
saved 01_linear_regression.png
""",
    logistic: """\
dw1 -0.8694 | measured -0.8694
dw2 -0.2000 | measured -0.2000
db  -0.0729 | measured -0.0729
epoch    1 | loss 1.591
epoch    3 | loss 0.9333
epoch   10 | loss 0.4154
epoch   30 | loss 0.3376
epoch  100 | loss 0.3308
epoch  300 | loss 0.3308
largest derivative | 5.9e-06
learned | w 1.9039 0.7998 | b -0.3109 | training accuracy 0.867
truth   | w 2.0000 1.0000 | b -0.5000 | training accuracy 0.877
saved 02_logistic_regression.png

SEED = 3; N_SAMPLES = 90; NOISE = 0.6; LEARNING_RATE = 0.7; EPOCHS = 3
CENTRES = np.array([[0.5, 1.5], [0.2, -0.8]])

dw1  0.0590 | measured  0.0590
dw2  0.1128 | measured  0.1128
db  -0.0361 | measured -0.0361
epoch    1 | loss 0.2178
epoch    3 | loss 0.1962
largest derivative | 8.6e-02
learned | w 1.1573 -2.1664 | b 0.2234 | training accuracy 0.956
truth   | w -0.8333 -6.3889 | b 2.5278 | training accuracy 0.967
saved 02_logistic_regression.png
""",
    single: """\
dW1 -0.1471 | measured -0.1471
db1  0.0892 | measured  0.0892
dW2 -0.9533 | measured -0.9533
db2 -1.4784 | measured -1.4784
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

SEED = 3; N_SAMPLES = 45; NOISE = 0.35; HIDDEN = 6; LEARNING_RATE = 0.02; EPOCHS = 3
DERIVATIVE = {np.sin: np.cos}

dW1 -0.1430 | measured -0.1430
db1  0.0280 | measured  0.0280
dW2  0.2548 | measured  0.2548
db2  0.1065 | measured  0.1065
sin
epoch    1 | loss 0.4356
epoch    3 | loss 0.4242
sin           | training RMSE 0.6478 (unit of y)
least squares | training RMSE 0.6888 (unit of y)
truth         | training RMSE 0.3638 (unit of y)
saved 03_mlp_single_input.png
""",
    multi: """\
dW1  0.0274 | measured  0.0274
db1  0.0732 | measured  0.0732
dW2 -0.2833 | measured -0.2833
db2  0.1454 | measured  0.1454
epoch    1 | loss 0.09805 | test loss 0.111
epoch    2 | loss 0.06335 | test loss 0.06798
epoch    5 | loss 0.05087 | test loss 0.05351
epoch   10 | loss 0.04657 | test loss 0.04755
epoch   20 | loss 0.04699 | test loss 0.04923
epoch   40 | loss 0.04214 | test loss 0.04325
epoch   60 | loss 0.04152 | test loss 0.04304
network       | test RMSE 1.0385 (unit of y)
linear model  | test RMSE 2.6662 (unit of y)
truth         | test RMSE 1.0041 (unit of y)
saved 04_mlp_multi_input.png

SEED = 3; NOISE = 0.4; HIDDEN = 7; LEARNING_RATE = 0.09; EPOCHS = 3
N_SAMPLES, N_TEST = 150, 70; BATCH_SIZE = 25

dW1  0.3493 | measured  0.3493
db1  0.4013 | measured  0.4013
dW2 -0.9970 | measured -0.9970
db2 -0.5743 | measured -0.5743
epoch    1 | loss 0.7621 | test loss 0.947
epoch    2 | loss 0.5542 | test loss 0.6833
epoch    3 | loss 0.4956 | test loss 0.6443
network       | test RMSE 3.6165 (unit of y)
linear model  | test RMSE 2.6236 (unit of y)
truth         | test RMSE 0.3990 (unit of y)
saved 04_mlp_multi_input.png
""",
}


def load_tests(loader, tests, pattern):
    """Let unittest run the classes in this order, as pytest does."""
    classes = Common, Gradients, Training, WrongInput, Scripts, Settings
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))


if __name__ == "__main__":
    unittest.main()

# %% For `uv run`, which installs the packages that these lines name
# /// script
# requires-python = ">=3.9"
# dependencies = ["numpy>=1.22", "matplotlib>=3.5"]
# ///
