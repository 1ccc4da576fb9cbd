"""Our classifier beside others, on the same sources, against each kind of label.

Sources are detections that match a source of known class. A classifier that says nothing of a source (SExtractor, where
it detects none) calls it neither: it ranks at the threshold and counts as a galaxy.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stargal.dataset.crossmatch import AGAINST, GIVEN
from stargal.evaluation.baselines import PHOTO_LIMIT, concentration
from stargal.evaluation.catalogs import FAINTEST
from stargal.evaluation.metrics import LEVEL, SCORE_COLUMNS, Scorer, resampled, score_predictions, wilson
from stargal.evaluation.scores import over_seeds
from stargal.survey.labels import CLASSES, LABELS, UNKNOWN, known_labels

SPREAD_LIMIT = 0.003
"""Largest SPREAD_MODEL of a star (Desai et al. 2012, ApJ 757, 83)."""


@dataclass(frozen=True)
class Peer:
    """Meaning of a classifier's score: a star above `threshold`; a probability if `calibrated`."""

    threshold: float = 0.5
    calibrated: bool = True


PEERS = {
    "photo": Peer(calibrated=False),
    "concentration": Peer(-PHOTO_LIMIT, calibrated=False),
    "class_star": Peer(),
    "spread_model": Peer(-SPREAD_LIMIT, calibrated=False),
    "forest": Peer(),
    "classifier": Peer(),
}
"""photo: the type by photo's rule on our own measurement, 1 or 0; concentration: model - psf magnitude in r;
class_star, spread_model: SExtractor's, the latter with its sign changed; forest: `stargal.evaluation.forest`;
classifier: the probability in our catalogue of the field."""

PARTIAL = ("class_star", "spread_model")
"""Classifiers that may say nothing of a source."""

EVERY = "all"
"""Sample of the sources that all of the run's classifiers give a score."""

PURITY, COMPLETENESS = 0.97, 0.96
"""Purity of stars, and completeness of galaxies, that the Dark Energy Survey asks for (Soumagnac et al. 2015, MNRAS
450, 666; Kim & Brunner show the other quantity at these, too)."""

GRID = np.round(np.arange(0.5, 1.0001, 0.01), 2)
"""Completenesses at which the purity is tabulated."""

ENDS = ("", "_low", "_high")
"""What the columns of a score and of the ends of its interval end with."""

TRADES = ("star_completeness_at_97", "galaxy_purity_at_96")
"""Completeness of stars at `PURITY`, and purity of galaxies at `COMPLETENESS`."""

KEYS = ["classifier", "against", "sample", "bucket", "magnitudes"]
COLUMNS = [
    *KEYS,
    *SCORE_COLUMNS,
    *(name + end for name in ("purity_star", "purity_galaxy", *TRADES) for end in ENDS),
    *("missing", "note"),
]
"""Columns of the table of scores."""


def gather_scores(
    matched: Mapping[str, pd.DataFrame],
    catalogs: Mapping[str, pd.DataFrame],
    *,
    buckets: Mapping[str, str],
    extracted: Mapping[str, pd.DataFrame],
    forest: pd.DataFrame | None,
    predictions: Sequence[pd.DataFrame],
    experiments: Sequence[str],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Scores of the sources of some fields by all classifiers, the higher the more like a star.

    Parameters
    ----------
    matched, catalogs, extracted : mappings
        By field: what `stargal.dataset.crossmatch.match_field`, `stargal.learning.apply.classify_sources` and
        `stargal.photometry.extractor.classify_with_extractor` give; the last may be empty.
    buckets : mapping
        Bucket of each field.
    forest : DataFrame, optional
        As `stargal.evaluation.forest.classify_by_forest` gives it.
    predictions : sequence of DataFrame
        Predictions of the networks, by experiment, then seed: probability, and id of a detection or of a source of the
        survey.
    experiments, seeds : sequences

    Returns
    -------
    DataFrame
        One row per source: the columns of `matched`, field, bucket, a column for each of `PEERS` that there is, and for
        each experiment the mean probability over its seeds; NaN where one says nothing. The attribute ``skipped`` says
        why a classifier says nothing at all.
    """
    skipped: dict[str, str] = {}
    parts = []
    for field, table in matched.items():
        part = table.assign(field=field, bucket=buckets[field])
        part["photo"] = (part["photo_type"] == 6).astype(float)
        magnitudes = (part[f"{kind}_mag_r"].to_numpy(float) for kind in ("psf", "model"))
        part["concentration"] = concentration(*magnitudes)
        probability = catalogs[field].set_index("id")["probability_star"]
        part["classifier"] = probability.reindex(part["id"]).to_numpy(float)
        if field in extracted:
            found = extracted[field].set_index("id").reindex(part["id"])
            part["class_star"] = found["class_star"].to_numpy(float)
            part["spread_model"] = -found["spread_model"].to_numpy(float)
            reasons = extracted[field].attrs.get("skipped", {})
            skipped |= {name: reason for name, reason in reasons.items() if part[name].isna().all()}
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    if forest is not None:
        table["forest"] = forest.set_index("id")["forest"].reindex(table["id"]).to_numpy(float)
    sums = {name: np.zeros(len(table)) for name in experiments}
    for name, _, one in over_seeds(experiments, seeds, predictions):
        probability = one.drop_duplicates("id").set_index("id")["probability"].astype(float)
        by_source = probability.reindex(table["source"]).to_numpy()
        sums[name] += np.where(np.isnan(by_source), probability.reindex(table["id"]).to_numpy(), by_source)
    for name, total in sums.items():
        table[name] = total / len(seeds)
    for name in PARTIAL:
        if name in table and not table[name].isna().all():
            skipped.pop(name, None)
    table.attrs["skipped"] = skipped
    return table


def peer_tables(
    scores: pd.DataFrame, *, experiments: Sequence[str], edges: Sequence[float], resamples: int
) -> dict[str, pd.DataFrame]:
    """Scores of all classifiers on the same sources.

    Parameters
    ----------
    scores : DataFrame
        As `gather_scores` gives them.
    experiments : sequence of str
        Columns that are networks.
    edges : sequence of float
        Edges of the bins of r magnitude.
    resamples : int
        Bootstrap resamples of the intervals.

    Returns
    -------
    dict
        - ``scores``: a row per kind of label (``against``), ``sample``, bucket, magnitudes (all, and r brighter than
          `FAINTEST`) and classifier, with `COLUMNS`. Sample ``all``: the sources that each of the run's classifiers
          gives a score; a sample with the name of a table: those of them that it holds, too.
        - ``by_magnitude``: the same in bins of r
        - ``curves``: ``completeness`` and ``purity`` of stars and galaxies (``class``) as the threshold falls
    """
    rows, bins, curves = [], [], []
    skipped = scores.attrs.get("skipped", {})
    for keys, sources, names in samples(scores, experiments):
        r = sources["r"].to_numpy(float)
        parts = {EVERY: np.full(len(r), True), f"r < {FAINTEST:g}": r < FAINTEST}
        for name in names:
            peer = peer_of(name, sources)
            known, score = sources["known"].to_numpy(np.int8), scored(sources[name], peer)
            missing = sources[name].isna().to_numpy()
            for part, inside in parts.items():
                where = {"classifier": name.removeprefix(GIVEN), **keys, "magnitudes": part}
                if name in skipped:
                    rows.append({**where, "sources": int(inside.sum()), "note": skipped[name]})
                    continue
                record = score_peer(known[inside], score[inside], peer, resamples)
                rows.append({**where, **record, "missing": int(missing[inside].sum()), "note": ""})
                curves += [{**where, **point} for point in completeness_purity(known[inside], score[inside])]
            for low, high in itertools.pairwise(sorted(edges)) if name not in skipped else ():
                inside = (r >= low) & (r < high)
                settings: dict[str, Any] = {"threshold": peer.threshold, "calibrated": peer.calibrated}
                record = score_predictions(known[inside], score[inside], resamples=resamples, **settings)
                where = {"classifier": name.removeprefix(GIVEN), **keys}
                bins.append({**where, "magnitude_low": low, "magnitude_high": high, **record})
    return {
        "scores": pd.DataFrame(rows, columns=COLUMNS),
        "by_magnitude": pd.DataFrame(bins, columns=[*KEYS[:-1], "magnitude_low", "magnitude_high", *SCORE_COLUMNS]),
        "curves": pd.DataFrame(curves, columns=[*KEYS, "class", "completeness", "purity"]),
    }


def samples(
    scores: pd.DataFrame, experiments: Sequence[str]
) -> Iterator[tuple[dict[str, str], pd.DataFrame, list[str]]]:
    """Yield keys, sources (with their class in ``known``) and classifiers of each sample of `peer_tables`."""
    columns = [str(name) for name in scores]
    own = [name for name in (*PEERS, *experiments) if name in columns]
    kinds = {**LABELS, **{name.removeprefix(AGAINST): name for name in columns if name.startswith(AGAINST)}}
    given = [name for name in columns if name.startswith(GIVEN)]
    for kind, column in kinds.items():
        table = scores.assign(known=known_labels(scores[column]))
        for bucket, fields in table.groupby("bucket"):
            # Networks have no predictions in fields of no bucket.
            here = [name for name in own if name in PARTIAL or fields[name].notna().any()]
            complete = fields[[name for name in here if name not in PARTIAL]].notna().all(axis=1)
            usable = fields[complete & (fields["known"] != UNKNOWN)]
            for extra in ("", *given):
                sources = usable[usable[extra].notna()] if extra else usable
                if len(sources):
                    keys = {"against": kind, "sample": extra.removeprefix(GIVEN) or EVERY, "bucket": str(bucket)}
                    yield keys, sources, here + ([extra] if extra else [])


def peer_of(name: str, sources: pd.DataFrame) -> Peer:
    """Meaning of the score of a classifier; what is given as types is no probability."""
    if name in PEERS:
        return PEERS[name]
    return Peer(calibrated=not sources[name].dropna().isin([0, 1]).all())


def scored(score: "pd.Series[float]", peer: Peer) -> NDArray[np.float64]:
    """Scores, at the threshold where there is none."""
    return np.asarray(score.fillna(peer.threshold), dtype=np.float64)


def score_peer(labels: NDArray[Any], score: NDArray[np.float64], peer: Peer, resamples: int) -> dict[str, Any]:
    """Record of `score_predictions`, with the purity of both classes and what surveys ask for, and their intervals.

    Intervals of purity are Wilson's, the others are bootstrapped. Types, which have no threshold to choose, have no
    completeness at a purity.
    """
    settings: dict[str, Any] = {"threshold": peer.threshold, "calibrated": peer.calibrated}
    record: dict[str, Any] = dict(score_predictions(labels, score, resamples=resamples, **settings))
    for word, other in (("star", "galaxy"), ("galaxy", "star")):
        called = record[f"{word}_as_{word}"] + record[f"{other}_as_{word}"]
        values = (np.nan,) * 3
        if called:
            share = np.array([record[f"{word}_as_{word}"] / called])
            values = (share[0], *(end[0] for end in wilson(share, np.array([called]))))
        record |= dict(zip((f"purity_{word}{end}" for end in ENDS), map(float, values), strict=True))
    return record | _trades(labels, score, resamples)


def _trades(labels: NDArray[Any], score: NDArray[np.float64], resamples: int) -> dict[str, float]:
    """`TRADES` with their bootstrapped intervals; NaN without both classes."""
    names = [name + end for name in TRADES for end in ENDS]
    if len(np.unique(labels)) < 2 or len(np.unique(score)) <= 2:
        return dict.fromkeys(names, float("nan"))
    stars, galaxies = Scorer(labels, score), Scorer(1 - labels, -score)

    def values(weights: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        complete, pure = running_shares(stars, weights)
        of_stars = np.where(pure >= PURITY, complete, 0).max(axis=1)
        complete, pure = running_shares(galaxies, weights)
        first = (complete >= COMPLETENESS - 1e-12).argmax(axis=1)
        return [of_stars, pure[np.arange(len(pure)), first]]

    once = values(np.ones((1, len(labels))))
    spread = [
        np.concatenate(one) for one in zip(*(values(one) for one in resampled(len(labels), resamples)), strict=True)
    ]
    tail = (1 - LEVEL) / 2
    ends = [np.nanquantile(one, [tail, 1 - tail]) for one in spread]
    numbers = [float(number) for one, (low, high) in zip(once, ends, strict=True) for number in (one[0], low, high)]
    return dict(zip(names, numbers, strict=True))


def running_shares(scorer: Scorer, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Completeness and purity of the positive class as the threshold falls past each distinct score.

    Parameters
    ----------
    scorer : Scorer
    weights : array, (resamples, n)
        Weight of each source, in the order of the labels.

    Returns
    -------
    arrays, (resamples, distinct scores)
        NaN where a resample lacks the class.
    """
    ordered = weights[:, scorer.order]
    own = np.cumsum(np.add.reduceat(ordered * scorer.star, scorer.ties, axis=1), axis=1)
    every = np.cumsum(np.add.reduceat(ordered, scorer.ties, axis=1), axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return own / own[:, -1:], np.where(every > 0, own / every, np.nan)


def completeness_purity(labels: NDArray[Any], score: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Purity of stars and galaxies where the threshold falls far enough for each completeness of `GRID`.

    Where many sources have one score, the completeness is the next that there is, listed once. Types have no curve.
    """
    if len(np.unique(labels)) < 2 or len(np.unique(score)) <= 2:
        return []
    points: list[dict[str, Any]] = []
    for label, word in CLASSES.items():
        scorer = Scorer((labels == label).astype(np.int8), score if label else -score)
        (complete,), (pure,) = running_shares(scorer, np.ones((1, len(labels))))
        points += [
            {"class": word, "completeness": float(complete[index]), "purity": float(pure[index])}
            for index in dict.fromkeys(np.searchsorted(complete, GRID - 1e-12).tolist())
        ]
    return points
