"""Records what independent implementations say, for src/statistics/golden.test.ts.

    pip install scipy statsmodels scikit-learn krippendorff irrCAC
    python eval/statistics/record_golden.py > test/golden/statistics/values.json
"""
import json

import krippendorff
import numpy as np
import pandas as pd
from irrCAC.raw import CAC
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.anova import anova_lm
from statsmodels.formula.api import ols
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

random = np.random.default_rng(20250204)
golden = {}

golden["normalCdf"] = [[x, stats.norm.cdf(x)] for x in (-30, -8, -6.5, -5.9, -1.96, -0.1, 0, 0.3, 2.5, 5.9, 7)]
golden["normalQuantile"] = [[p, stats.norm.ppf(p)] for p in (1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.95, 0.975, 0.9999)]
golden["studentTQuantile"] = [[p, n, stats.t.ppf(p, n)] for n in (1, 2, 3, 4, 19, 49, 200, 999, 20000)
                              for p in (0.025, 0.2, 0.5, 0.9, 0.95, 0.975, 0.995)]
golden["wilson"] = [[s, n, *proportion_confint(s, n, 0.05, "wilson")] for s, n in
                    ((0, 10), (3, 10), (10, 10), (45, 50), (14297, 15355), (14136, 15355))]
golden["mcnemar"] = [[b, c, mcnemar([[5, b], [c, 7]], exact=True).pvalue] for b, c in
                     ((0, 0), (0, 5), (3, 9), (12, 12), (40, 20), (300, 361), (5000, 5200))]
golden["holm"] = [[p, multipletests(p, method="holm")[1].tolist()] for p in
                  ([0.01, 0.04, 0.03], [0.5, 0.001, 0.02, 0.02, 0.9], [0.2], [0.0001, 0.00011, 1.0])]

# Sign flips: scipy enumerates all patterns up to 2^n and is asked for exactly that.
golden["signFlip"] = []
for n in (2, 4, 8, 12):
    d = random.integers(-4, 4, n)
    p = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False).pvalue
    golden["signFlip"].append([d.tolist(), p])

# Intraclass correlation from the analysis of variance table of statsmodels.
golden["icc"] = []
for sizes in ([5] * 12, [1, 2, 3, 5, 5, 4, 2], [5, 5, 5, 1]):
    rows = [(i, int(random.random() < chance)) for i, m in enumerate(sizes) for chance in [random.beta(1, 1)] for _ in range(m)]
    table = anova_lm(ols("y ~ C(doc)", pd.DataFrame(rows, columns=["doc", "y"])).fit())
    msb, msw = table["mean_sq"]
    n, k = sum(sizes), len(sizes)
    m0 = (n - sum(m * m for m in sizes) / n) / (k - 1)
    clusters = [[sum(y for d, y in rows if d == i), m] for i, m in enumerate(sizes)]
    golden["icc"].append([clusters, (msb - msw) / (msb + (m0 - 1) * msw)])

# BCa: scipy resamples by itself, so the comparison is loose; the statistic is the mean of documents of equal size.
golden["bca"] = []
for n, size in ((30, 5), (80, 5)):
    d = random.binomial(size, random.beta(6, 1, n)) - random.binomial(size, random.beta(4, 1, n))
    interval = stats.bootstrap((d / size,), np.mean, n_resamples=100_000, random_state=np.random.default_rng(1)).confidence_interval
    golden["bca"].append([d.tolist(), size, interval.low, interval.high])
x = random.binomial(5, 0.7, 25) / 5
interval = stats.ttest_1samp(x, 0).confidence_interval(0.95)
golden["meanInterval"] = [[round(v * 5) for v in x], 5, interval.low, interval.high]

golden["kappa"] = []
for noise in (0.3, 0.8, 2.0):
    first = random.integers(1, 6, 60)
    second = np.clip(np.round(first + random.normal(0, noise, 60)), 1, 5).astype(int)
    kappa = cohen_kappa_score(first, second, labels=[1, 2, 3, 4, 5], weights="quadratic")
    golden["kappa"].append([first.tolist(), second.tolist(), kappa])

golden["ratings"] = []
for raters in (2, 3, 4):
    truth = random.integers(1, 6, 25)
    table = np.clip(np.round(truth[:, None] + random.normal(0, 0.7, (25, raters))), 1, 5)
    if raters > 2:
        table[random.random(table.shape) < 0.2] = np.nan
        table = table[~np.isnan(table).all(axis=1)]
    alpha = krippendorff.alpha(reliability_data=table.T, level_of_measurement="ordinal", value_domain=[1, 2, 3, 4, 5])
    ac2 = CAC(pd.DataFrame(table), weights="quadratic", categories=[1, 2, 3, 4, 5], digits=12).gwet()["est"]["coefficient_value"]
    units = [[int(v) for v in row if not np.isnan(v)] for row in table]
    golden["ratings"].append([units, alpha, ac2])

print(json.dumps(golden, separators=(",", ":"), default=float))
