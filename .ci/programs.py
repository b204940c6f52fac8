"""Write the programs of README.md beside the scripts: film.py, gpt.py and others.

A Python block of the page is a program if its first line is a comment with its name,
such as "# film.py". One that goes on from another begins with a line such as
"from gpt import *", so each is whole as it stands. A file that is there is never lost.
"""

import re
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def programs():
    """Return the code of each program of the page, by its name."""
    page = (HERE / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(# (\w+\.py)\n.*?)^```$", page, re.M | re.S)
    return {name: code for code, name in blocks}


if __name__ == "__main__":
    for name, code in programs().items():
        file = HERE / name
        if not file.exists():
            file.write_text(code, encoding="utf-8")
            print(f"{name} is written")
        elif file.read_text(encoding="utf-8") == code:
            print(f"{name} is there already")
        else:
            print(f"{name} is there, but differs. It is kept: rename it for a new one.")
