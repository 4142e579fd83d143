"""How well every unit matches every concept: normalised AUPRC, Pearson, and their tests.

Of some eighteen scores in use only a few pass simple sanity checks; average precision and
Pearson's correlation are among them, AUC and recall are not, so the latter are not offered.
Average precision depends on how common the concept is; *normalised*, (AP - base) / (1 - base),
it is 0 for a unit that knows nothing and 1 for one that ranks every image showing the concept
before every other. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr

from circuitz.errors import InputsError

F64 = npt.NDArray[np.float64]
#: Fewer images with (or without) the concept than this allow no test.
MINIMUM_IMAGES = 8


@dataclass(frozen=True, eq=False)
class Match:
    """Scores of ``u`` units against ``c`` concepts on one set of rows.

    Parameters
    ----------
    ap, nauprc
        ``(u, c)`` average precision of the unit's response as a ranking of the images, and
        (AP - base) / (1 - base). NaN where ``reasons`` says why.
    pearson
        ``(u, c)`` correlation of response and label; NaN also for a constant unit.
    p
        ``(u, c)`` one-sided p-value of "the correlation is not positive", clustered by scene.
        NaN where there is nothing to test; 1 for a constant unit.
    purity
        ``(u, c)`` share of the unit's squared positive matches that this concept holds: 1 when
        it matches nothing else, 1/m when it matches m concepts equally.
    base
        ``(c,)`` share of known images that show the concept.
    n, n_pos
        ``(c,)`` images with a known label, and those that show the concept.
    reasons
        Why a concept cannot be used; empty for one that can.
    """

    ap: F64
    nauprc: F64
    pearson: F64
    p: F64
    purity: F64
    base: F64
    n: npt.NDArray[np.int64]
    n_pos: npt.NDArray[np.int64]
    reasons: tuple[str, ...]


def match_units_with_concepts(
    responses: npt.ArrayLike,
    concepts: npt.ArrayLike,
    rows: npt.ArrayLike | None = None,
    scene: npt.ArrayLike | None = None,
) -> Match:
    """Match every unit with every concept.

    Parameters
    ----------
    responses
        ``(n, u)`` one number an image and unit. A unit with a value that is not finite gets NaN.
    concepts
        ``(n, c)`` of 0, 1 or NaN (not known). Unknown labels are left out concept by concept.
    rows
        Boolean mask or indices of the images to use; all by default.
    scene
        ``(n,)`` images with one number are not independent; each is by default.

    Raises
    ------
    InputsError
        If shapes do not fit or a label is neither 0, 1 nor NaN.
    """
    x, y, groups = _select_and_check_rows(responses, concepts, rows, scene)
    order = np.argsort(groups, kind="stable")
    x, y, groups = x[order], y[order], groups[order]
    known = ~np.isnan(y)
    positive = known & (y > 0.5)
    n, n_pos = known.sum(0), positive.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        base = n_pos / n
    reasons = tuple(
        _reason_concept_is_unusable(int(a), int(b)) for a, b in zip(n, n_pos, strict=True)
    )
    varies = (n_pos > 0) & (n_pos < n)
    sound = np.isfinite(x).all(0)
    x = np.where(sound, x, 0.0)
    ap = np.full((x.shape[1], y.shape[1]), np.nan)
    pearson, p = ap.copy(), ap.copy()
    if varies.any() and x.shape[1]:
        ap[:, varies] = _average_precision(x, positive[:, varies], known[:, varies])
        pearson[:, varies], p[:, varies] = _pearson_and_p_values(
            x, positive[:, varies], known[:, varies], groups
        )
    p[:, [bool(reason) for reason in reasons]] = np.nan
    ap[~sound], pearson[~sound], p[~sound] = np.nan, np.nan, np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        nauprc = (ap - base) / (1 - base)
        shares = np.nan_to_num(np.maximum(nauprc, 0.0)) ** 2
        purity = np.where(np.isnan(nauprc), np.nan, shares / shares.sum(1, keepdims=True))
    return Match(ap, nauprc, pearson, p, purity, base, n, n_pos, reasons)


def nauprc_values_per_image(response: npt.ArrayLike, label: npt.ArrayLike) -> F64:
    """Per-image values whose mean is the normalised AUPRC, for clustered and paired tests.

    Value i is the score plus image i's influence on it, so that the variance of their mean is
    the (first-order) sampling variance of the score, and the difference of two such series on
    the same images tests the difference of two scores pairwise, whatever their correlation.

    With N(s) and T(s) the shares of images, and of images showing the concept, that respond at
    least s, AP = E[y T(x) / N(x)] / base, and the influence of (x0, y0) on it is
    (y0 (T(x0) / N(x0) + A(x0) - AP) - B(x0)) / base, where A and B are the means of y / N(x) and
    y T(x) / N(x)^2 over images that respond at most x0. It is the same device as the placement
    values of DeLong, DeLong and Clarke-Pearson (1988) for AUC, derived here for AP.

    Parameters
    ----------
    response
        ``(n,)`` one number an image.
    label
        ``(n,)`` of 0, 1 or NaN (not known).

    Returns
    -------
    numpy.ndarray
        ``(n,)`` float64; NaN where the label is not known, all NaN where it is constant.
    """
    x = np.asarray(response, np.float64).ravel()
    label = np.asarray(label, np.float64).ravel()
    values = np.full(len(x), np.nan)
    known = ~np.isnan(label)
    x, y = x[known], (label[known] > 0.5).astype(np.float64)
    n, base = len(x), float(y.mean()) if len(y) else 0.0
    if base in (0.0, 1.0) or not np.isfinite(x).all():
        return values
    order = np.argsort(-x, kind="stable")
    x, y = x[order], y[order]
    new = np.flatnonzero(np.diff(x)) + 1
    start, end = np.concatenate([[0], new]), np.concatenate([new, [n]])
    size = end - start
    above = np.repeat(end, size) / n
    hits = np.repeat(np.cumsum(y)[end - 1], size) / n
    precision = hits / above
    ap = float(np.sum(y * precision) / n / base)

    def mean_over_responses_at_most(terms: F64) -> F64:
        from_here = np.cumsum(terms[::-1])[::-1] / n
        return np.repeat(from_here[start], size)

    a, b = mean_over_responses_at_most(y / above), mean_over_responses_at_most(y * hits / above**2)
    influence = (y * (precision + a - ap) - b) / base
    score = (ap - base) / (1 - base)
    found = np.empty(n)
    found[order] = score + (influence - (y - base) * (1 - score)) / (1 - base)
    values[known] = found
    return values


def _select_and_check_rows(
    responses: npt.ArrayLike,
    concepts: npt.ArrayLike,
    rows: npt.ArrayLike | None,
    scene: npt.ArrayLike | None,
) -> tuple[F64, F64, npt.NDArray[np.int64]]:
    x, y = np.asarray(responses), np.asarray(concepts)
    groups = np.arange(len(x)) if scene is None else np.asarray(scene)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or groups.shape != (len(x),):
        raise InputsError(
            f"Responses {x.shape}, concept labels {y.shape} and scenes {groups.shape} do not fit.",
            "Give one row an image in each.",
        )
    if rows is not None:
        chosen = np.asarray(rows)
        x, y, groups = x[chosen], y[chosen], groups[chosen]
    y = y.astype(np.float64)
    if np.any((y != 0) & (y != 1) & ~np.isnan(y)):
        raise InputsError(
            "Concept labels hold values other than 0, 1 and NaN.",
            "Write 1 where an image shows the concept, 0 where not, NaN where nobody looked.",
        )
    return x.astype(np.float64), y, groups.astype(np.int64)


def _reason_concept_is_unusable(n: int, n_pos: int) -> str:
    if n == 0:
        return "no image is labelled for it"
    if n_pos == 0:
        return f"constant: none of {n} labelled images shows it"
    if n_pos == n:
        return f"constant: all {n} labelled images show it"
    if min(n_pos, n - n_pos) < MINIMUM_IMAGES:
        few, how = (n_pos, "show it") if n_pos <= n - n_pos else (n - n_pos, "lack it")
        return f"only {few} labelled images {how}, {MINIMUM_IMAGES} are needed"
    return ""


def _average_precision(
    x: F64, positive: npt.NDArray[np.bool_], labelled: npt.NDArray[np.bool_]
) -> F64:
    """AP of each unit for each concept, tied responses counted as one threshold.

    Units are ranked once; then only the ranks of the images that show a concept are sorted.
    """
    ranks, order, tied = _ranks_order_and_ties(x)
    ap = np.empty((x.shape[1], positive.shape[1]))
    cache: dict[bytes, npt.NDArray[np.int32]] = {}
    for concept in range(positive.shape[1]):
        shows, rows = positive[:, concept], labelled[:, concept]
        among = ranks
        if not rows.all():
            key = np.packbits(rows).tobytes()
            if key not in cache:
                # Counting known images down the ranking turns a rank into one among them.
                seen = np.cumsum(rows[order], axis=0, dtype=np.int32)
                cache[key] = np.take_along_axis(seen, ranks - 1, axis=0)
            among = cache[key]
        ranked = np.sort(np.ascontiguousarray(among[shows].T), axis=1)
        hits = np.broadcast_to(np.arange(1.0, ranked.shape[1] + 1), ranked.shape)
        if tied.any():
            hits = hits.copy()
            hits[tied] = _ranks_at_end_of_ties(ranked[tied])
        ap[:, concept] = np.mean(hits / ranked, axis=1)
    return ap


def _ranks_order_and_ties(
    x: F64,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """``(n, u)`` how many images respond at least as much, the order, and which units tie."""
    order = np.argsort(-x, axis=0)
    ranked = np.take_along_axis(x, order, axis=0)
    place = np.broadcast_to(np.arange(1, len(x) + 1, dtype=np.int32)[:, None], x.shape)
    same = ranked[1:] == ranked[:-1]
    if same.any():
        place = place.copy()
        place[:-1][same] = len(x)
        place = np.minimum.accumulate(place[::-1], axis=0)[::-1]
    ranks = np.empty(x.shape, np.int32)
    np.put_along_axis(ranks, order, place, axis=0)
    return ranks, order, same.any(0)


def _ranks_at_end_of_ties(ranked: npt.NDArray[np.int32]) -> F64:
    """``(u, m)`` how many entries of a sorted row are at most each entry."""
    count = ranked.shape[1]
    place = np.broadcast_to(np.arange(1.0, count + 1), ranked.shape).copy()
    place[:, :-1][ranked[:, 1:] == ranked[:, :-1]] = count
    return np.minimum.accumulate(place[:, ::-1], axis=1)[:, ::-1]


def _pearson_and_p_values(
    x: F64,
    positive: npt.NDArray[np.bool_],
    labelled: npt.NDArray[np.bool_],
    groups: npt.NDArray[np.int64],
) -> tuple[F64, F64]:
    """Correlations and their one-sided p-values; rows are sorted by group.

    Concepts labelled on the same images are taken together, and responses are centred over those
    images: taking a mean that is large beside the spread off afterwards would cost the digits.
    """
    r = np.empty((x.shape[1], positive.shape[1]))
    p = r.copy()
    patterns: dict[bytes, list[int]] = {}
    for concept in range(positive.shape[1]):
        patterns.setdefault(np.packbits(labelled[:, concept]).tobytes(), []).append(concept)
    for alike in patterns.values():
        rows = labelled[:, alike[0]]
        r[:, alike], p[:, alike] = _correlate_fully_labelled(
            x[rows], positive[rows][:, alike], groups[rows]
        )
    return r, p


def _correlate_fully_labelled(
    x: F64, positive: npt.NDArray[np.bool_], groups: npt.NDArray[np.int64]
) -> tuple[F64, F64]:
    """Correlations and one-sided p-values of concepts that are labelled on every row.

    The statistic is the sum of centred response times standardised label over its standard
    deviation under the null, from sums by scene (a score test), referred to Student's t with
    scenes less one degrees of freedom. Everything is a product of matrices: with s the standardised
    label, the variance of the sum is, over pairs i, j of one scene, the sum of x_i x_j s_i s_j.
    """
    size = np.abs(x).max(0)
    x = x - x.mean(0)
    share = positive.mean(0)
    label = (positive - share) / np.sqrt(share * (1 - share))
    squares = x**2
    variance = squares.mean(0)
    total = x.T @ label
    spread = squares.T @ label**2
    starts = np.flatnonzero(np.diff(groups, prepend=groups[0] - 1))
    sizes = np.diff(np.append(starts, len(x)))
    for lag in range(1, int(sizes.max())):
        pair = groups[lag:] == groups[:-lag]
        first, second = np.flatnonzero(pair), np.flatnonzero(pair) + lag
        spread += 2 * (x[first] * x[second]).T @ (label[first] * label[second])
    # Rounding leaves a constant response with a deviation near 1e-16 of its size.
    dead = (variance <= (1e-12 * size) ** 2)[:, None] | (spread <= 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(dead, np.nan, np.clip(total / len(x) / np.sqrt(variance)[:, None], -1.0, 1.0))
        p = stdtr(max(len(starts) - 1, 1), -total / np.sqrt(np.maximum(spread, 0.0)))
    return r, np.where(dead | (len(starts) < 2), 1.0, p)
