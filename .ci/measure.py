"""Measure anew what each part of the small GPT is worth, and compare it with README.md.

Run this with `python .ci/measure.py`. It trains each model with three seeds. A loss may
differ by 0.03, and a number of names, or of rows in 100, by five.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent.parent
page = Path(*sys.argv[1:] or [HERE / "README.md"]).read_text(encoding="utf-8")
blocks = re.findall(r"^```python\n(# (\w+\.py)\n.*?)^```$", page, flags=re.M | re.S)
programs = {name: code for code, name in blocks}
os.environ.update(PYTHONPATH=str(HERE), OPENBLAS_NUM_THREADS="1")


def change(code, *pairs):
    """Replace strings. Each must be there exactly once."""
    for old, new in pairs:
        if code.count(old) != 1:
            raise SystemExit(f"{code.count(old)} times in the program: {old}")
        code = code.replace(old, new)
    return code


def cut(code, start, end):
    """Return the code from start up to the next end."""
    change(code, (start, ""))
    first = code.index(start)
    return code[first : code.index(end, first)]


def second(code):
    """Return the code of a layer with names of its own. It reads h2, and returns h4."""
    names = r"\b(d?)(h0|h1|h2|heads|Wq|Wk|Wv|B|Wo|W1|b1|W2|b2|z1|a1)\b"
    new = {"h0": "h2", "h1": "h3", "h2": "h4"}
    return re.sub(names, lambda name: name[1] + new.get(name[2], name[2] + "_2"), code)


gpt = programs["gpt.py"].split("drawn =")[0]  # it need not invent names
found = cut(programs["sorting.py"], "def found", "print(")
models = {name: change(gpt, *pairs) for name, *pairs in (
    ("the whole model", ("params = train", found + "params = train")),
    ("without attention", ("HEADS = 4", "HEADS = 0")),
    ("without the distances", (" + B[m][back]", ""), ("dB[m] = np.bin", "np.bin")),
    ("without queries and keys", ("q @ k.T / np.sqrt(C) + B", "B"),
     ("dq = ds @ k", "dq = 0 * q"), ("dk = ds.T @ q", "dk = 0 * k")),
    ("without the hidden layer", ("HIDDEN = 128", "HIDDEN = 0")),
    ("without dropout", ("DROPOUT = 0.1", "DROPOUT = 0")),
    ("one head of width 32", ("HEADS = 4\nC = 8", "HEADS = 1\nC = 32")),
)}
models["the whole model"] += 'print("found", found(params))\n'

# Two layers: the code of one stands there twice, with other names the second time.
weights = cut(gpt, "    Wq =", "    W3 =") + cut(gpt, "    b1, b2", "    return")
forwards = cut(gpt, "    h1 = h0  # each head", "    z = h2 @ W3")
backwards = cut(gpt, "    # h2[i, d] = h1", "    # h0[i, d] = keep")
code = change(
    gpt, ("    W3 = rng", second(weights) + "    W3 = rng"),
    (forwards, forwards + second(forwards)), (backwards, second(backwards) + backwards),
    ("z = h2", "z = h4"), ("dW3 = h2.T", "dW3 = h4.T"), ("dh2 = dz @", "dh4 = dz @"),
)
for names in ("Wq, Wk, Wv, B, Wo, W1, b1, W2, b2", "heads, h1, z1, a1, h2",
              "dWq, dWk, dWv, dB, dWo, dW1, db1, dW2, db2"):
    code = code.replace(f" {names}, ", f" {names}, {second(names)}, ")
models["two layers"] = code

# The five-letter model learns the same lines, and the functions of gpt.py judge it.
task = cut(gpt, "def line_of", "letters =") + """
names = [line_of(name)[:-1] for name in names]
longest = max(len(line) for line in names)
rows = lambda lines: (*pairs([line[:-1] for line in lines]), None)
forward = lambda params, x, back: [softmax(mlp.forward(params, x)[2])]
"""
code = programs["letters.py"].split("invented = []")[0]
code = change(code, ("letters =", task + "letters ="))
code += cut(gpt, "def losses", "def train")
code += 'print("test loss", losses(params, test_lines))\n'
code += cut(gpt, "def write", "def draw") + cut(gpt, "def sort", "params = train")
models["the five-letter model"] = code + gpt[gpt.index("right = [name"):]


def measure(code):
    """Return both losses, the number of names, and what the heads find, as means."""
    results = []
    for seed in range(3):
        seeded = change(code, ("default_rng(0)", f"default_rng({seed})"))
        command = [sys.executable, "-c", seeded]
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        numbers = r"test loss (\S+) and (\S+)\n(\d+) of .*\n(?:found (\d+))?"
        results.append([float(n or 0) for n in re.findall(numbers, printed.stdout)[0]])
    return np.mean(results, axis=0)


wrong = 0
heads = re.search(r"In (\d+) of 100 rows that write", page)[1]
with ThreadPoolExecutor(2) as pool:
    for name, measured in zip(models, pool.map(measure, models.values())):
        row = re.search(rf"^\| {name} \| (\S+) \| (\S+) \| (\S+) \|$", page, flags=re.M)
        shown = np.array([*row.groups(), heads if measured[3] else 0], dtype=float)
        right = np.all(np.abs(shown - measured) <= [0.03, 0.03, 5, 5])
        wrong += not right
        verdict = "right" if right else "WRONG"
        print(verdict, name, shown.tolist(), measured.round(2).tolist(), flush=True)
raise SystemExit(wrong)
