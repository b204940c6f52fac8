"""Check that README.md tells the truth: its programs, answers, bugs and numbers.

Run this with `python .ci/readme.py`. With words behind it, such as "Break it", it
checks only the sections whose heading begins with them.
"""

import importlib
import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from fnmatch import fnmatch
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"

import numpy as np
from matplotlib.backend_bases import MouseEvent

from programs import HERE, programs

sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
PAGE = (HERE / "README.md").read_text(encoding="utf-8")
PROGRAMS = programs()
IGNORED = (HERE / ".gitignore").read_text(encoding="utf-8").splitlines()
SCRIPTS = sorted(path.name for path in HERE.glob("0*.py"))
HAS_TORCH = importlib.util.find_spec("torch") is not None
modules = [importlib.import_module(name[:-3]) for name in SCRIPTS]
linear, logistic, single, multi = modules
sections = {part.split("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
failures = []


def check(section, right, expected, printed):
    if not right:
        failures.append(section)
        print(f"\n{section}\nREADME.md says:\n{expected}\nprinted is:\n{printed}")


def run(name, *arguments, changes=()):
    """Run a script or a program beside copies of all, some changed: what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        for file in (*SCRIPTS, "common.py", "test_all.py"):
            shutil.copy(HERE / file, folder)
        for file, code in PROGRAMS.items():
            Path(folder, file).write_text(code, encoding="utf-8")
        for file, old, new in changes:
            path = Path(folder, file)
            source = path.read_text(encoding="utf-8")
            if source.count(old) != 1:
                raise SystemExit(f"{file} has {source.count(old)} times: {old}")
            path.write_text(source.replace(old, new), encoding="utf-8")
        command = [sys.executable, "-Wignore", name, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.run(command, cwd=folder, encoding="utf-8", **pipes).stdout


def fenced_blocks(text):
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def numbered(text):
    """Return the items of a numbered list."""
    return re.findall(r"^\d+\. (.*)$", text, flags=re.MULTILINE)


def printed_in(text):
    """Return what a text quotes from what is printed, such as `loss 0.9934`."""
    quotes = re.findall("`([^`]*)`", text)
    return [quote for quote in quotes if re.match(r"[A-Za-z]\w* .*\d", quote)
            and "=" not in quote]


outputs = {}  # of the programs, by name


def check_programs(section, text):
    """Each program prints all that is shown below it.

    If the text below begins with "...", it goes on from what the program before prints.
    """
    blocks = fenced_blocks(text)
    for (kind, code), (next_kind, expected) in zip(blocks, [*blocks[1:], ("", "")]):
        name = code.split("\n")[0][2:]
        if kind != "python" or name not in PROGRAMS:
            continue
        compile(code, name, "exec")
        check(section, max(map(len, code.splitlines())) <= 88, name, "is too wide")
        ignored = any(fnmatch(f"/{name}", line) for line in IGNORED)
        check(section, ignored, name, "is not in .gitignore")
        check(section, next_kind == "text", name, "has no output on the page")
        if "import torch" in code and not HAS_TORCH:
            digits = re.findall(r"\d\.\d{12}", expected)
            check(section, len(digits) == 2 and len(set(digits)) == 1, expected, "")
            continue
        outputs[name] = run(name)
        if expected.startswith("...\n"):
            before = re.search(r"^from (\w+) import \*", code, flags=re.MULTILINE)[1]
            expected = outputs[f"{before}.py"] + expected[4:]
        check(f"{section}, {name}", outputs[name] == expected, expected, outputs[name])


def check_experiments(section, text, name):
    """Each number in an answer is printed with the settings of its question."""
    _, experiments = text.split("<b>Predict, then run</b>")
    questions, answers = [numbered(part) for part in experiments.split("Answers")]
    check(section, len(questions) == len(answers) >= 3, questions, answers)
    source = (HERE / name).read_text(encoding="utf-8")
    quoted = 0
    for question, answer in zip(questions, answers):
        changes = []
        for setting in re.findall("`([A-Z_, ]+ = .*?)`", question):
            old = re.search(f"^{setting.split(' = ')[0]} = .*$", source, flags=re.M)
            changes.append((name, old[0], setting))
        check(section, changes, question, "no setting is named")
        printed = run(name, changes=changes)
        for quote in printed_in(answer):
            quoted += 1
            check(f"{section}, {question}", quote in printed, quote, printed)
    check(section, quoted >= 2, answers, "no answer quotes a printed number")


def check_bugs(section, text):
    """Each bug shows what is said, and the tests that are named find it."""
    bugs, answers = [numbered(part) for part in text.split("What happens")]
    check(section, len(bugs) == len(answers) == 5, bugs, answers)
    for bug, answer in zip(bugs, answers):
        pattern = r"\*\*(.+?):\*\* `(.+?)` instead of `(.+?)`"
        place, new, old = re.match(pattern, bug).groups()
        file = next((name for name in SCRIPTS if name.startswith(place)), place)
        script = file if file in SCRIPTS else SCRIPTS[2]
        printed = run(script, changes=[(file, old, new)])
        for quote in printed_in(answer):
            check(f"{section}, {bug}", quote in printed, quote, printed)

        report = run("test_all.py", "Gradients", changes=[(file, old, new)])
        found = re.findall(r"^(?:FAIL|ERROR): (test_\w+)", report, flags=re.MULTILINE)
        named = re.search(r"`Gradients`[^.]* names (.*?) in (test_.*?)[:.]", answer)
        tests = re.findall(r"test_\w+", named[2]) if named else []
        check(f"{section}, {bug}", found == tests, tests, report)
        wrong = re.findall(r"^(d\w+) (?:is wrong|has the shape)", report, flags=re.M)
        gradients = re.findall("`(d.*?)`", named[1]) if named else []
        check(f"{section}, {bug}", set(wrong) == set(gradients), gradients, report)
        if "`Scripts` finds it in " in answer:
            report = run("test_all.py", "Scripts", changes=[(file, old, new)])
            found = re.findall(r"^(?:FAIL|ERROR): (test_\w+)", report, flags=re.M)
            tests = re.findall(r"`Scripts` finds it in (test_\w+)", answer)
            check(f"{section}, {bug}", found == tests, tests, report)


def value(expression):
    """Return the numbers of 1*1 + 1, 2^2 and the like, with commas between them."""
    names = {"log": math.log, "e": math.e, "max": max}
    expression = re.sub(r"log (\d+)", r"log(\1)", expression)
    return np.ravel(eval(f"[{expression.replace('^', '**')}]", names))


def arithmetic(section, block):
    """Check each line of an example by hand. Return their names and numbers."""
    results = []
    for line in block.splitlines():
        name, *parts, shown = [part.strip() for part in line.split(" = ")]
        for part in parts:
            close = np.allclose(value(part), value(shown), rtol=0, atol=0.00051)
            check(f"{section}, by hand", close, line, value(part))
        results.append((name, value(shown)))
    return results


def check_by_hand(section, text, script, params, x, y, rate, *activation):
    """Check the arithmetic, and that the script has the same gradients and losses.

    Return the name and the numbers of each line.
    """
    by_hand = text.split("<b>By hand</b>")[1].split("<b>Predict")[0]
    ((_, block),) = fenced_blocks(by_hand)
    results = arithmetic(section, block)
    params = [np.array(param, dtype=float) for param in params]
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    loss, grads = script.loss_and_grads(params, x, y, *activation)
    new = [param - rate * grad for param, grad in zip(params, grads)]
    expected = [("loss", loss)]
    names = ("W1", "b1", "W2", "b2") if len(grads) == 4 else ("w", "b")
    for name, grad, param in zip(names, grads, new):
        expected += [(f"d{name}", grad), (f"new {name}", param)]
    expected.append(("loss", script.loss_and_grads(new, x, y, *activation)[0]))
    for name, numbers in expected:
        shown = [result for result_name, result in results if result_name == name]
        right = any(np.allclose(result, np.ravel(numbers), rtol=0, atol=0.00051)
                    for result in shown if result.size == np.size(numbers))
        check(f"{section}, by hand", right, f"{name} = {shown}", numbers)
    return results


def check_diagram(name, numbers):
    """The numbers in a diagram are those of the example by hand."""
    svg = (HERE / ".github/images" / name).read_text(encoding="utf-8")
    drawn = sorted(re.findall(r">([\w\[\]]+ = [-\d.]+)<", svg))
    expected = sorted(f"{name} = {number:g}" for name, number in numbers)
    check(name, drawn == expected, drawn, expected)


def check_01(section, text):
    shown = check_by_hand(section, text, linear, (1, 1), [1, 3], [4, 8], 0.1)
    by_hand = dict(shown[:4])
    numbers = [("w", 1), ("loss", 10)]
    for i, x in enumerate((1, 3)):
        numbers += [(f"x[{i}]", x), (f"y_pred[{i}]", by_hand["y_pred"][i])]
        numbers.append((f"dy_pred[{i}]", by_hand["dy_pred"][i]))
    check_diagram("paths_01.svg", numbers)
    svg = (HERE / ".github/images/paths_01.svg").read_text(encoding="utf-8")
    check(section, "=  -2 - 12  =  -14<" in svg and by_hand["dw"] == -14, svg, by_hand)


def check_02(section, text):
    check_by_hand(section, text, logistic, ([1, 1], -3), [[1, 2], [2, 1]], [0, 1], 4)


def check_03(section, text):
    params = [[1, -1]], [1, 1], [[2], [5]], [-1]
    data = [[2]], [[3]], 0.01, single.relu
    shown = check_by_hand(section, text, single, params, *data)
    named = [("x", 2), ("y", 3), *zip(("W1", "b1", "W2", "b2"), params), *shown[:11]]
    pairs = [(name, number) for name, numbers in named for number in np.ravel(numbers)]
    check_diagram("network_03.svg", pairs)


def check_04(section, text):
    params = [[1, 1], [1, -1]], [0, 0], [[2, 1], [3, 1]], [-3, 1]
    check_by_hand(section, text, multi, params, [[1, 2]], [[1, 5]], 0.01)


def check_start(section, text):
    """The check of the derivatives that is shown is what 03 prints first."""
    shown = [code for kind, code in fenced_blocks(text) if kind == "text"]
    printed = run(SCRIPTS[2])
    check(section, len(shown) == 1 and printed.startswith(shown[0]), shown, printed)


def check_practice(section, text):
    """With the seven zeros in 03, its check and the tests print what is shown."""
    _, (_, zeros), _, (_, report) = fenced_blocks(text)
    source = (HERE / SCRIPTS[2]).read_text(encoding="utf-8")
    _, rest = source.split("    loss = mse(y_pred, y)\n\n")
    backward, _ = rest.split("    return loss, (dW1")
    changes = [(SCRIPTS[2], backward, zeros)]
    printed = run(SCRIPTS[2], changes=changes)
    for quote in printed_in(text):
        check(section, quote in printed, quote, printed)
    printed = run("test_all.py", "Gradients.test_03", changes=changes)
    check(section, report in printed, report, printed)


def check_descent(section, text):
    """A click into the valley starts a descent to least squares, and no other click."""
    names = {"__name__": "descent"}
    exec(compile(PROGRAMS["descent.py"], "descent.py", "exec"), names)
    canvas = names["fig"].canvas
    canvas.draw()  # places the panels
    path, best = names["path"], names["best"]

    def click(pixels):
        event = MouseEvent("button_press_event", canvas, *pixels, button=1)
        canvas.callbacks.process("button_press_event", event)

    click((1, 1))
    click(names["plane"].transData.transform((2, 8)))
    check(section, path == [], "clicks beside the valley", path)
    start = best + np.array([-3, 4])
    click(names["valley"].transData.transform(start))
    check(section, np.allclose(path, [start], atol=0.05), f"a click at {start}", path)
    tick, _, _ = names["timer"].callbacks[0]
    for _ in range(names["EPOCHS"]):  # more ticks than it needs
        tick()
    check(section, np.allclose(path[-1], best, atol=0.1), f"the end at {best}", path)
    drawn = np.transpose(names["trail"].get_data())
    check(section, np.allclose(drawn, path[:-1]), "the path is drawn", drawn)


def check_gpt(section, text):
    """The example by hand is what the lines of gpt.py compute."""
    by_hand = text.split("<b>By hand</b>")[1]
    results = arithmetic(section, fenced_blocks(by_hand)[0][1])
    code = PROGRAMS["gpt.py"]
    q, k, v = [np.array([[a], [b]]) for a, b in ((0, 1), (math.log(3), 0), (4.0, 0))]
    back = np.array([[0, -1], [1, 0]])
    names = {"np": np, "q": q, "k": k, "v": v, "back": back, "seen": back >= 0, "m": 0}
    names.update(C=1, longest=2, B=np.zeros((1, 2)), dB=np.zeros((1, 2)))
    names["do"] = np.array([[0], [2]])
    for first, end in (
        ("def softmax", "def forward"),
        ("        s = q @", "        h1 ="),
        ("        # o[i, c] =", "        # q[i, c] ="),
    ):
        start = code.index(first)
        exec(textwrap.dedent(code[start : code.index(end, start)]), names)
    names["mean"] = (names["w"] * names["dw"]).sum(axis=1)
    for name, shown in results:
        all_rows = name in ("dv", "dk", "dB")
        found = np.ravel(names[name] if all_rows else names[name][1])
        check(f"{section}, by hand", np.allclose(found, shown, atol=5e-4), name, found)


# Some numbers stand in a sentence, too. They are those of a printed line.
SENTENCES = (
    ("A first language model", "falls from 3.40, which is guessing, to 1.23",
     "letters.py", "test loss 1.23"),
    ("A first language model", "a score for each of 30 letters",
     "letters.py", f"guessing | loss {np.log(30):.2f}"),
    ("A small GPT", "Of 95 names that were kept for the test, it sorts 85",
     "gpt.py", "85 of 95"),
    ("Several layers", "| parameters | 14,631 |", "gpt.py", "14631 parameters"),
    ("A small GPT", "bright lage=abeghilrt\ndusty=drstuy\ngolish blue=beghilosu\n",
     "gpt.py", "\ndusty=drstuy\nbright lage=abeghilrt\n"),
    ("A small GPT", "22 of the 95", "sorting.py", "22 of 22 are sorted"),
    ("A small GPT", "the other 73, it sorts 63", "sorting.py", "63 of 73 are sorted"),
    ("A small GPT", "two of three, and if all", "sorting.py", "134 of 200 are sorted"),
    ("A small GPT", "about one of six", "sorting.py", "31 of 200 are sorted"),
    ("A small GPT", "*banana*, it makes `abnn`", "sorting.py", "banana=abnn"),
    ("A small GPT", "of *cabin*, it makes `abcin`", "sorting.py", "cabin=abcin\n"),
    ("A small GPT", "`transformer=aefmnorst` is right", "sorting.py", "=aefmnorst\n"),
    ("A small GPT", "`jazz=agruz` is wrong", "sorting.py", "jazz=agruz\n"),
    ("A small GPT", "In 98 of 100 rows that write", "sorting.py", "98% trained"),
    ("A small GPT", "87 are right", "sorting.py", "87 of 95 are sorted"),
    ("Several layers", "gets 33 of 100 right", "layers.py", "33% are right"),
    ("Several layers", "commonest digit so far gets 35", "layers.py", "35% are right"),
)


def check_sentences(section, text):
    for start, sentence, name, line in SENTENCES:
        if section.startswith(start):
            right = sentence in text and line in outputs[name]
            check(section, right, f"{sentence}: {line}", outputs[name])


SPECIAL = {"01": check_01, "02": check_02, "03": check_03, "04": check_04,
           "Break it": check_bugs, "Start in a minute": check_start,
           "Write the backward": check_practice, "A small GPT": check_gpt,
           "Play with it": check_descent}

if __name__ == "__main__":
    wanted = " ".join(sys.argv[1:])
    for section, text in sections.items():
        if not section.startswith(wanted):
            continue
        print(section)
        check_programs(section, text)
        if section[:2].isdigit():
            check_experiments(section, text, SCRIPTS[int(section[:2]) - 1])
        check_sentences(section, text)
        for start, special in SPECIAL.items():
            if section.startswith(start):
                special(section, text)
    print("README.md is right" if not failures else f"\nwrong: {failures}")
    raise SystemExit(len(failures))
