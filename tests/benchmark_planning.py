"""Cost of planning against the number of fields: `snakemake -n` on one core, with nothing there yet.

    python tests/benchmark_planning.py [fields ...]

Run 8162 has 948 fields, 6 camcols of 158; more fields are of further runs. Camcols 1 to 4 are the training bucket, 5
validation, 6 test; the configuration is config/sdss.yaml, three experiments with five seeds each. Shown are the jobs of
the plan, CPU time (user and system), time by the clock and peak memory with jobs counted (`--quiet rules`), then CPU
time with every job listed. The yardstick is a workflow of as many jobs without any input, listed by the same Snakemake
right afterwards: what is left when all that is ours is gone.

The last line is the plan after a finished run of the smallest number of fields, with every file there (empty) and on
record: what `snakemake -n` costs before it says that there is nothing to be done.
"""

import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUCKETS = {1: "train", 2: "train", 3: "train", 4: "train", 5: "validation", 6: "test"}
YARDSTICK = """
rule all:
    input: [f"out/{{number}}.txt" for number in range({jobs})]
rule one:
    output: "out/{{number}}.txt"
    shell: "touch {{output}}"
"""


def write_project(folder: Path, count: int) -> None:
    """A table of so many fields, evenly over the camcols of as many runs as it takes, and an overlay that names it."""
    runs = range(8162, 8162 + count // 948 + 1)
    fields = list(itertools.product(runs, range(11, 169), BUCKETS))[:count]
    rows = [f"301\t{run}\t{camcol}\t{field}\t{BUCKETS[camcol]}\n" for run, field, camcol in fields]
    (folder / "fields.tsv").write_text("rerun\trun\tcamcol\tfield\tbucket\n" + "".join(rows))
    overlay = "skies: {sdss: {fields: fields.tsv}}\ntraining_sets: {small: [301-8162-1-11], large: all}\n"
    (folder / "fields.yaml").write_text(overlay)


def snakemake(folder: Path, *arguments: str) -> tuple[str, float, float, float]:
    """Run snakemake in a folder: what it printed, CPU s, s by the clock, peak MB."""
    command = [sys.executable, "-m", "snakemake", "-d", str(folder), "--cores", "1", *arguments]
    start = time.monotonic()
    with (folder / "printed.txt").open("w+") as printed:
        process = subprocess.Popen(command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        printed.seek(0)
        text = printed.read()
    if os.waitstatus_to_exitcode(status):
        sys.exit(text[-2000:])
    return text, usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def jobs_in(plan: str) -> int:
    """Jobs of a plan, without the target."""
    table = re.findall(r"^total +(\d+)$", plan, re.M)
    return int(table[0]) - 1 if table else 0


def show(title: str, plan: str, cpu: float, clock: float, memory: float) -> None:
    """Print the beginning of a row."""
    print(f"{title:>16}{jobs_in(plan):8d}{cpu:9.1f}{clock:9.1f}{memory:9.0f}", end="", flush=True)


def main() -> None:
    """Plan for each number of fields and print a table."""
    counts = sorted(map(int, sys.argv[1:] or ("100", "948", "3000", "10000")))
    head = ("fields", 16), ("jobs", 8), ("CPU, s", 9), ("clock, s", 9), ("MB", 9), ("listed, s", 11), ("yardsticks", 11)
    print("".join(f"{title:>{width}}" for title, width in head), flush=True)
    ours = ["-s", str(ROOT / "Snakefile"), "--configfile", str(ROOT / "config/sdss.yaml"), "fields.yaml"]
    counted, listed = ["-n", "--quiet", "rules", "progress"], ["-n", "--quiet", "host"]
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_project(folder, count)
            plan, seconds, *_ = snakemake(folder, *listed, *ours)
            show(str(count), plan, *snakemake(folder, *counted, *ours)[1:])
            (folder / "yardstick").write_text(YARDSTICK.format(jobs=jobs_in(plan)))
            yardstick = snakemake(folder, *listed, "-s", "yardstick")[1]
            print(f"{seconds:11.1f}{seconds / yardstick:11.2f}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder, count = Path(name), counts[0]
        write_project(folder, count)
        summary = snakemake(folder, "--summary", *ours)[0]
        for path in re.findall(r"^((?:resources|results)/\S+)\t", summary, re.M):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
        snakemake(folder, "--touch", *ours)
        show(f"{count}, finished", *snakemake(folder, "-n", *ours))
        print()


if __name__ == "__main__":
    main()
