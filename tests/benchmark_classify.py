"""CPU time from the frames of five fields to their catalogues, in units of the time to decompress the frames.

    STARGAL_MIRROR=... python tests/benchmark_classify.py [--classifier FOLDER] [--rounds N]

One command makes the catalogues, from a folder as archive: planning, downloads with verification, alignment, detection
and classification. A second one makes of them the page and the catalogue of the sky. Then each step is timed by itself,
and SExtractor in dual-image mode where it is installed (Debian: source-extractor), on the aligned bands of the same
fields, with its default settings. In a new environment, Python compiles its packages in the first round.
"""

import argparse
import bz2
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml
from astropy.io import fits
from threadpoolctl import threadpool_limits

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow"))

from stargal.catalogs.field import classify_field  # noqa: E402
from stargal.imaging.align import align_field, write_alignment  # noqa: E402
from stargal.imaging.cube import read_cube  # noqa: E402
from stargal.imaging.frames import read_frames  # noqa: E402
from stargal.photometry.sources import detect_sources  # noqa: E402
from stargal.survey.fields import BANDS, Field  # noqa: E402

FIELDS = ("301-3918-3-213", "301-5112-4-345", "301-4510-4-30", "301-1035-6-17", "40-4192-4-300")
FRAME = "eboss/photoObj/frames/{rerun}/{run}/{camcol}/frame-{band}-{run:06d}-{camcol}-{field:04d}.fits.bz2"
PARAMETERS = ("NUMBER", "X_IMAGE", "Y_IMAGE", "MAG_AUTO", "MAGERR_AUTO", "MAG_ISO", "CLASS_STAR", "FLAGS")


def cpu_of(command: list[str], folder: Path) -> float:
    """CPU time of a command and all that it starts, seconds; the command must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def decompression(frames: list[bytes]) -> float:
    """CPU time to decompress frames, seconds."""
    start = time.process_time()
    for frame in frames:
        bz2.decompress(frame)
    return time.process_time() - start


def steps_of(field: Field, paths: list[Path], classifier: Path, folder: Path) -> dict[str, float]:
    """CPU time of the steps of rule catalog_field for one field, seconds."""
    names = ("cube", "summary", "psf", "detections", "fits", "parquet")
    files = {name: folder / f"step.{name}" for name in names} | {"fits": folder / "step.fits"}
    laps, start = {}, time.process_time()

    def lap(name: str) -> None:
        nonlocal start
        laps[name] = time.process_time() - start
        start = time.process_time()

    opened = read_frames(paths, "".join(BANDS))
    lap("read the frames")
    with threadpool_limits(1):
        others = (frame for band, frame in opened.items() if band != "r")
        aligned = align_field(field, opened["r"], others, "".join(BANDS))
        write_alignment(aligned, paths, files["cube"], files["summary"], files["psf"])
        lap("align")
        detect_sources(opened, field).to_parquet(files["detections"], index=False)
        lap("detect")
        classify_field(
            sky="mirror",
            field=field.name,
            cube=files["cube"],
            detections=files["detections"],
            model=classifier / "model.onnx",
            description=classifier / "classifier.json",
            prior="field",
            fits=files["fits"],
            parquet=files["parquet"],
        )
        lap("classify")
    return laps


def sextractor(program: str, cube: Path, folder: Path) -> float:
    """CPU time of SExtractor on the five bands of a cube, sources detected in r."""
    (folder / "some.param").write_text("\n".join(PARAMETERS) + "\n")
    aligned = read_cube(cube)
    images = {}
    for band, image in zip(aligned.bands, aligned.image, strict=True):
        images[band] = folder / f"{band}.fits"
        fits.writeto(images[band], np.nan_to_num(np.asarray(image, np.float32)), overwrite=True)
    settings = ["-PARAMETERS_NAME", "some.param", "-FILTER", "N", "-CATALOG_TYPE", "FITS_1.0", "-VERBOSE_TYPE", "QUIET"]
    settings += ["-MAG_ZEROPOINT", "22.5", "-PIXEL_SCALE", "0.396"]
    network = Path("/usr/share/source-extractor/default.nnw")
    if network.exists():
        settings += ["-STARNNW_NAME", str(network)]
    return sum(
        cpu_of([program, f"{images['r']},{image}", *settings, "-CATALOG_NAME", f"{band}.cat"], folder)
        for band, image in images.items()
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--classifier", type=Path, help="folder of a classifier; the released one without it")
    parser.add_argument("--rounds", type=int, default=2, help="repetitions; use more on a computer with other work")
    arguments = parser.parse_args()
    given, rounds = arguments.classifier, arguments.rounds
    mirror = Path(os.environ.get("STARGAL_MIRROR", ""))
    if not (mirror / "eboss").is_dir():
        sys.exit("STARGAL_MIRROR names no folder with real frames")
    released = yaml.safe_load((ROOT / "config/config.yaml").read_text())["classify"]["classifier"]
    if given is None and released is None:
        sys.exit("no classifier is released: give one with --classifier")
    classifier = (given or ROOT / released).resolve()
    fields = [Field.parse(name) for name in FIELDS]
    paths = {field: [mirror / FRAME.format(band=band, **vars(field)) for band in BANDS] for field in fields}
    packed = [path.read_bytes() for frames in paths.values() for path in frames]
    snakemake = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "1"]
    catalogs = [f"results/mirror/catalogs/{field.name}.fits" for field in fields]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        overlay = {
            "sky": "mirror",
            "skies": {"mirror": {"origin": "archive", "url": str(mirror)}},
            "classify": {"classifier": str(classifier), "fields": list(FIELDS)},
        }
        (folder / "mine.yaml").write_text(yaml.safe_dump(overlay))
        units, wholes, others = [decompression(packed)], [], []
        for _ in range(rounds):
            for made in ("results", "resources", "benchmarks", ".snakemake"):
                shutil.rmtree(folder / made, ignore_errors=True)
            wholes.append(cpu_of([*snakemake, *catalogs, "--configfile", "mine.yaml"], folder))
            others.append(cpu_of([*snakemake, "classify", "--configfile", "mine.yaml"], folder))
            units.append(decompression(packed))
        # Other work on the computer makes both slower, so the fastest of each count.
        unit, whole = min(units) / len(fields), min(wholes)
        plan = cpu_of([*snakemake, *catalogs, "--configfile", "mine.yaml", "--forceall", "--dry-run"], folder)
        rows: dict[str, list[float]] = {}
        for field in fields:
            for step, seconds in steps_of(field, paths[field], classifier, folder).items():
                rows.setdefault(step, []).append(seconds)
        print(f"all decompressions: {units}, all commands: {wholes}, CPU seconds")
        print(f"{'decompress the five frames':34} {unit:6.2f} s {1:6.2f}")
        print(f"{'frames to catalogue, a field':34} {whole / len(fields):6.2f} s {whole / len(fields) / unit:6.2f}")
        for step, seconds in rows.items():
            print(f"{'  ' + step:34} {statistics.mean(seconds):6.2f} s {statistics.mean(seconds) / unit:6.2f}")
        rest = whole / len(fields) - sum(map(statistics.mean, rows.values()))
        print(f"{'  verify, import, start, plan':34} {rest:6.2f} s {rest / unit:6.2f}")
        print(f"{'    of which plan':34} {plan / len(fields):6.2f} s {plan / len(fields) / unit:6.2f}")
        other = min(others) / len(fields)
        print(f"{'page and catalogue of the sky':34} {other:6.2f} s {other / unit:6.2f}")
        program = shutil.which("source-extractor") or shutil.which("sex")
        if program:
            cubes = [folder / f"results/mirror/aligned/{field.name}.fits" for field in fields]
            seconds = statistics.mean(sextractor(program, cube, folder) for cube in cubes)
            print(f"{'SExtractor, dual-image mode':34} {seconds:6.2f} s {seconds / unit:6.2f}")
        else:
            print("SExtractor is not installed (Debian: source-extractor)")


if __name__ == "__main__":
    main()
