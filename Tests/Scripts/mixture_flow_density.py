"""Log densities of a two-dimensional Gaussian mixture by the probability-flow ODE, at 30 digits.

The numbers of Tests/ScoreLikelihoodTests/MixtureDensityTests.swift. Written apart from the Swift code: the score and the
trace of its Jacobian come from the mixture's density by hand, the ODE is solved in mpmath by the extrapolated midpoint
rule of Gragg, Bulirsch and Stoer, and run twice with different steps to show how many digits stand.

    python mixture_flow_density.py        (needs mpmath; about a minute)
"""

from mpmath import mp, mpf, exp, expm1, log, matrix, pi, sqrt

mp.dps = 30
WEIGHTS = [mpf("0.3"), mpf("0.7")]
MEANS = [(mpf("-1"), mpf("0.5")), (mpf("0.8"), mpf("-0.4"))]
COVARIANCES = [((mpf("0.2"), mpf("0.05")), (mpf("0.05"), mpf("0.1"))), ((mpf("0.15"), mpf("-0.06")), (mpf("-0.06"), mpf("0.3")))]
POINTS = [(mpf("0.5"), mpf("-0.2")), (mpf("-1.1"), mpf("0.6")), (mpf("0.1"), mpf("0.1"))]
B0, B1 = mpf("0.1"), mpf(20)
SMIN, SMAX = mpf("0.01"), mpf(50)
EPS = mpf("1e-5")


def beta(t):
    return B0 + t * (B1 - B0)


def log_alpha(t):
    return -t * t * (B1 - B0) / 4 - t * B0 / 2


# name -> (alpha, sigma^2, f, g^2, prior deviation)
PROCESSES = {
    "vp": (lambda t: exp(log_alpha(t)), lambda t: -expm1(2 * log_alpha(t)), lambda t: -beta(t) / 2, beta, mpf(1)),
    "subvp": (
        lambda t: exp(log_alpha(t)),
        lambda t: expm1(2 * log_alpha(t)) ** 2,
        lambda t: -beta(t) / 2,
        lambda t: -beta(t) * expm1(4 * log_alpha(t)),
        mpf(1),
    ),
    "ve": (
        lambda t: mpf(1),
        lambda t: (SMIN * (SMAX / SMIN) ** t) ** 2,
        lambda t: mpf(0),
        lambda t: 2 * (SMIN * (SMAX / SMIN) ** t) ** 2 * log(SMAX / SMIN),
        SMAX,
    ),
}


def score_and_trace(alpha, variance, x, y):
    """grad log p and laplace log p of the mixture under the kernel."""
    total = gx = gy = lap = mpf(0)
    for w, m, c in zip(WEIGHTS, MEANS, COVARIANCES):
        a = alpha**2 * c[0][0] + variance
        b = alpha**2 * c[0][1]
        d = alpha**2 * c[1][1] + variance
        det = a * d - b * b
        u, v = x - alpha * m[0], y - alpha * m[1]
        qx, qy = -(d * u - b * v) / det, -(a * v - b * u) / det  # grad log N
        p = w * exp((qx * u + qy * v) / 2) / sqrt(det)
        total += p
        gx += p * qx
        gy += p * qy
        lap += p * (qx * qx + qy * qy - (a + d) / det)
    gx, gy = gx / total, gy / total
    return gx, gy, lap / total - gx * gx - gy * gy


def rhs(process, t, s):
    alpha, variance, f, g2, _ = process
    gx, gy, lap = score_and_trace(alpha(t), variance(t), s[0], s[1])
    half = g2(t) / 2
    return [f(t) * s[0] - half * gx, f(t) * s[1] - half * gy, 2 * f(t) - half * lap]


def gbs_step(process, t, s, h, columns):
    """One step of extrapolated modified midpoint, order 2 * columns."""
    table = []
    for k in range(columns):
        n = 2 * (k + 1)
        dt = h / n
        before, now = s, [a + dt * b for a, b in zip(s, rhs(process, t, s))]
        for i in range(1, n):
            slope = rhs(process, t + i * dt, now)
            before, now = now, [a + 2 * dt * b for a, b in zip(before, slope)]
        row = [now]
        for j in range(1, k + 1):
            ratio = mpf(k + 1) / (k + 1 - j)
            row.append([a + (a - b) / (ratio**2 - 1) for a, b in zip(row[j - 1], table[k - 1][j - 1])])
        table.append(row)
    return table[-1][-1]


def density(process, point, steps, columns=7):
    # Steps even in log t below 0.1 and in t above, where the flow of each process is smooth.
    edges = [EPS * (mpf("0.1") / EPS) ** (mpf(i) / steps) for i in range(steps)]
    edges += [mpf("0.1") + mpf("0.9") * i / steps for i in range(steps + 1)]
    s = [point[0], point[1], mpf(0)]
    for t, u in zip(edges, edges[1:]):
        s = gbs_step(process, t, s, u - t, columns)
    prior = process[4]
    return s[2] - (s[0] ** 2 + s[1] ** 2) / (2 * prior**2) - log(2 * pi * prior**2)


for name, process in PROCESSES.items():
    for point in POINTS:
        coarse, fine = density(process, point, 24), density(process, point, 36)
        print(name, tuple(map(float, point)), mp.nstr(fine, 14), "change", mp.nstr(abs(fine - coarse), 2), flush=True)
