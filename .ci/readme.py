"""Check that README.md tells the truth: run its programs, experiments and bugs.

Run this with `python .ci/readme.py`. The scripts must be as they are in the project.
"""

import importlib
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
os.environ["MPLBACKEND"] = "Agg"
README = (HERE / "README.md").read_text(encoding="utf-8")
SCRIPTS = sorted(path.name for path in HERE.glob("0*.py"))
modules = [importlib.import_module(name[:-3]) for name in SCRIPTS]
linear, logistic, single, multi = modules
sections = {part.split("\n")[0]: part for part in README.split("\n## ")[1:]}
failures = []


def check(section, right, expected, printed):
    if not right:
        failures.append(section)
        print(f"\n{section}\nREADME.md says:\n{expected}\nprinted is:\n{printed}")


def run(code, changes=(), arguments=()):
    """Run code beside copies of the scripts, some changed, and return its output."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (*SCRIPTS, "common.py", "test_all.py"):
            shutil.copy(HERE / name, folder)
        for name, old, new in changes:
            path = Path(folder, name)
            source = path.read_text(encoding="utf-8")
            if source.count(old) != 1:
                raise SystemExit(f"{name} has {source.count(old)} times: {old}")
            path.write_text(source.replace(old, new), encoding="utf-8")
        Path(folder, "program.py").write_text(code, encoding="utf-8")
        command = [sys.executable, "-Wignore", "program.py", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.run(command, cwd=folder, encoding="utf-8", **pipes).stdout


def fenced_blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def check_programs(section, text):
    """Each Python program runs, and prints the text that is shown after it."""
    first = ""
    blocks = fenced_blocks(text)
    for (kind, code), (next_kind, expected) in zip(blocks, [*blocks[1:], ("", "")]):
        if kind != "python":
            continue
        if "import torch" in code:  # which need not be installed
            check(section, len(set(re.findall(r"[\d.]+", expected))) == 1, expected, "")
            continue
        if code.startswith("    "):  # lines of 03, shown as they stand there
            source = (HERE / SCRIPTS[2]).read_text(encoding="utf-8").splitlines()
            for line in code.splitlines():
                check(section, line in source, line, "not in the script")
            continue
        if code.startswith("import"):
            first = code
            printed = run(code)
            right = printed == expected
        else:  # it goes on from the last program that begins with its imports
            printed = run(first + code)
            right = printed.endswith(expected)
        if next_kind == "text":
            check(section, right, expected, printed)
        else:
            check(section, "Traceback" not in printed, code[:200], printed)


def check_experiments(section, text, name):
    """Each line of a table of answers is printed with the settings of its row."""
    row = re.compile(r"^\| (`[A-Z].*?`) \| `(.*?)` \| ", flags=re.MULTILINE)
    source = (HERE / name).read_text(encoding="utf-8")
    for settings, line in row.findall(text):
        changed = source
        for setting in re.findall("`(.*?)`", settings):
            old = re.compile(f"^{setting.split(' = ')[0]} = .*", flags=re.MULTILINE)
            changed, found = old.subn(setting, changed)
            check(section, found == 1, setting, "no such setting")
        printed = run(changed)
        expected = line.replace("\\|", "|")
        right = expected in printed.splitlines()
        check(f"{section}, {settings}", right, expected, printed)


def check_bugs(section, text):
    """Each bug is found by the tests that are named, and no others of their class."""
    row = r"^\| `?(\w\S*?)`? \| `(.+?)` \| `(.+?)` \| .* \| `(\w+)`, (.*) \|$"
    rows = re.findall(row, text, flags=re.MULTILINE)
    check(section, len(rows) == 5, "five bugs", rows)
    for name, old, new, test_class, named in rows:
        file = next((n for n in SCRIPTS if n.startswith(name)), name)
        tests = (HERE / "test_all.py").read_text(encoding="utf-8")
        printed = run(tests, [(file, old, new)], [test_class])
        found = re.findall(r"^(?:FAIL|ERROR): (test_\w+)", printed, flags=re.MULTILINE)
        tests_named = re.findall(r"test_\w+", named)
        check(f"{section}, {old}", found == tests_named, named, printed)
        wrong = r"^(d\w+) .*(?:begins with|has the shape)"
        gradients = re.findall(wrong, printed, flags=re.MULTILINE)
        expected = re.findall("`(d.*?)`", named) * len(found)
        check(f"{section}, {old}", gradients == expected, named, printed)


def value(expression):
    """Return the numbers of 1*1 + 1, 2^2 and the like, with commas between them."""
    names = {"log": math.log, "e": math.e, "max": max}
    return np.ravel(eval(f"[{expression.replace('^', '**')}]", names))


def check_by_hand(section, text, script, params, x, y, rate, *activation):
    """The arithmetic is right, and the script has the same gradients and losses.

    Return the name and the numbers of each line.
    """
    by_hand = text.split("<b>By hand</b>")[1].split("<b>Predict")[0]
    ((_, block),) = fenced_blocks(by_hand)
    results = []
    for line in block.splitlines():
        name, *parts, shown = [part.strip() for part in line.split(" = ")]
        for part in parts:
            close = np.allclose(value(part), value(shown), rtol=0, atol=0.00051)
            check(f"{section}, by hand", close, line, value(part))
        results.append((name, value(shown)))

    params = [np.array(param, dtype=float) for param in params]
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    loss, grads = script.loss_and_grads(params, x, y, *activation)
    new = [param - rate * grad for param, grad in zip(params, grads)]
    expected = [("loss", loss)]
    for name, grad, param in zip(("W1", "b1", "W2", "b2")[-len(grads):], grads, new):
        name = name if len(grads) == 4 else {"W2": "w", "b2": "b"}[name]
        expected += [(f"d{name}", grad), (f"new {name}", param)]
    expected.append(("loss", script.loss_and_grads(new, x, y, *activation)[0]))
    for name, numbers in expected:
        shown = [result for result_name, result in results if result_name == name]
        right = any(np.allclose(result, np.ravel(numbers), rtol=0, atol=0.00051)
                    for result in shown if result.size == np.size(numbers))
        check(f"{section}, by hand", right, f"{name} = {shown}", numbers)
    return results


for section, text in sections.items():
    print(section)
    check_programs(section, text)
    if section[:2].isdigit():
        check_experiments(section, text, SCRIPTS[int(section[:2]) - 1])
check_bugs("Break it", sections["Break it"])

one, two, three, four = [sections[section] for section in sections if section[0] == "0"]
check_by_hand("01", one, linear, (1, 1), [1, 3], [4, 8], 0.1)
check_by_hand("02", two, logistic, ([1, 1], -3), [[1, 2], [2, 1]], [0, 1], 4)
params = [[1, -1]], [1, 1], [[2], [5]], [-1]
shown = check_by_hand("03", three, single, params, [[2]], [[3]], 0.01, single.relu)
params_04 = [[1, 1], [1, -1]], [0, 0], [[2, 1], [3, 1]], [-3, 1]
check_by_hand("04", four, multi, params_04, [[1, 2]], [[1, 5]], 0.01)

# The diagram of 03 shows the first lines of its example.
named = [("x", [2]), ("y", [3]), *zip(("W1", "b1", "W2", "b2"), params), *shown[:11]]
pairs = [(name, number) for name, numbers in named for number in np.ravel(numbers)]
expected = sorted(f"{name} = {number:g}" for name, number in pairs)
svg = (HERE / ".github/images/network_03.svg").read_text(encoding="utf-8")
drawn = sorted(re.findall(r">(\w+ = [-\d.]+)<", svg))
check("network_03.svg", drawn == expected, drawn, expected)

# The first result on the page is the end of what 03 prints.
printed = run((HERE / SCRIPTS[2]).read_text(encoding="utf-8"))
_, (_, last_lines), *_ = fenced_blocks(sections["Start in a minute"])
check("Start in a minute", printed.endswith(last_lines), last_lines, printed)

# PyTorch need not be installed: the lines for 03 show the loss that 03 ends with.
program = """import importlib, numpy
mlp = importlib.import_module("03_mlp_single_input")
rng = numpy.random.default_rng(mlp.SEED)
data = mlp.make_data(rng, mlp.N_SAMPLES)
start = mlp.init_params(rng, mlp.HIDDEN)
_, losses = mlp.train(start, *data, mlp.relu, mlp.EPOCHS, mlp.LEARNING_RATE)
print(f"by hand | loss {losses[-1]:.12f}\\nPyTorch | loss {losses[-1]:.12f}")
"""
printed = run(program)
_, (_, last_lines) = fenced_blocks(sections["To PyTorch"])
check("To PyTorch", printed.endswith(last_lines), last_lines, printed)

# Some numbers stand in a sentence, too. They are those of a printed line.
changed = (HERE / SCRIPTS[1]).read_text(encoding="utf-8")
with_a_bug = run(changed.replace("dz = 1 / y.size * (p - y)", "dz = p - y"))
for section, sentence, line, printed in (
    ("Break it", "ends at 0.720 instead of 0.867", "accuracy 0.720", with_a_bug),
    ("A first language model", "falls from 3.40, which is guessing, to 1.23",
     "test loss 1.23", sections["A first language model"]),
    ("A first language model", "a score for each of 30 letters", "guessing | loss 3.40",
     f"guessing | loss {np.log(30):.2f}"),
    ("A small GPT", "Of 95 names that were kept for the test, it sorts 89", "89 of 95",
     sections["A small GPT"]),
    ("A small GPT", "14,631", "14631 parameters", sections["A small GPT"]),
):
    check(section, sentence in sections[section] and line in printed, sentence, printed)

print("README.md is right" if not failures else f"\nwrong: {failures}")
raise SystemExit(len(failures))
