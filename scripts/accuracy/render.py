"""Renders histories of migrations that others wrote to SQL, by their own tools: render.py PLIMSOLL FOLDER [HISTORY...].

PLIMSOLL is the program, which lends a private server. FOLDER gets an environment for each file in requirements/, and in
`histories` a folder of SQL files for each history. What is there already isn't made again.
"""

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from histories import HISTORIES

# The server's version, unless a history asks for another.
MAJOR = 18
HERE = Path(__file__).resolve().parent


def main():
    plimsoll, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    wanted = sys.argv[3:] or list(HISTORIES)
    missing = [name for name in wanted if not (folder / "histories" / name).is_dir()]
    if not missing:
        return 0
    (folder / "histories").mkdir(parents=True, exist_ok=True)
    failed = []
    for major in sorted({HISTORIES[name].get("major", MAJOR) for name in missing}):
        with server(plimsoll, major) as host:
            of_major = [name for name in missing if HISTORIES[name].get("major", MAJOR) == major]
            failed += [name for name in of_major if not render(name, host, folder)]
    if failed:
        print("failed to render", ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


@contextmanager
def server(plimsoll, major):
    """A private server; gives the folder of its socket."""
    command = [plimsoll, "server", "--postgres", str(major)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield parse_qs(urlsplit(running.stdout.readline().strip()).query)["host"][0]
    finally:
        running.terminate()
        running.wait()


def render(name, host, folder):
    """Renders one history; says whether that worked."""
    history = dict(HISTORIES[name], name=name, database=name.replace("-", "_"))
    python = environment(history["environment_file"], folder)
    output, log = folder / "histories" / name, folder / f"{name}.log"
    unfinished = folder / f"{name}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    print(f"Rendering {name}.", file=sys.stderr)
    for file, text in history.get("files", {}).items():
        (folder / file).write_text(text)
    script = HERE / f"{history['tool']}_history.py"
    with open(log, "w") as out:
        command = [python, script, json.dumps(history), host, unfinished]
        home = dict(os.environ, HOME=str(folder), PYTHONDONTWRITEBYTECODE="1")
        done = subprocess.run(command, stdout=out, stderr=out, cwd=folder, env=home).returncode == 0
    if done:
        if "major" in history:
            (unfinished / "postgres-version").write_text(f"{history['major']}\n")
        unfinished.rename(output)
    else:
        print(f"  failed; see {log}", file=sys.stderr)
    return done


def environment(name, folder):
    """The Python of an environment with what requirements/NAME.txt lists."""
    requirements = HERE / "requirements" / f"{name}.txt"
    place = folder / "environments" / name
    python, installed = place / "bin" / "python", place / "requirements.txt"
    if not installed.is_file() or installed.read_bytes() != requirements.read_bytes():
        print(f"Installing {name}.", file=sys.stderr)
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check", "--no-input"]
        subprocess.run([*pip, "install", "--no-deps", "-r", requirements], check=True)
        shutil.copy(requirements, installed)
    return str(python)


if __name__ == "__main__":
    sys.exit(main())
