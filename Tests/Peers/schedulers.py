"""End-point errors of diffusers' deterministic schedulers on the exact score of a Gaussian mixture, or on a trained score.

    python schedulers.py [--mixture plane.json | --run RUN] [--count 2000] [--steps 500] [--all] [--scoresde BINARY]
        [--solvers fitted unipc:order=3,grid=optimized]

Each scheduler starts at its own first noise level from the same standard normal numbers and is compared with a fine solve
of the same ODE, dy/du = eps(y, u) in y = x/alpha and u = sigma/alpha, from the same points to its own last noise level.
The network is the exact score at the scheduler's own noise level, so neither rounding of time steps nor training counts
against it. The error is the root mean square over samples of the distance between end points. NFE counts calls.
With --scoresde, `scoresde sample` draws as many samples of the same field by each of --solvers, and all schedulers start from
its noise (the first states of its trajectory); ours go from T to their last time and are held to the same fine solve.
RUN is a folder of `scoresde train --sde vp --network mlp --parametrization epsilon`; all is in the units of its network.
"""

import argparse
import json
import logging
import pathlib
import subprocess
import tempfile
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import diffusers  # noqa: E402


class Mixture:
    """The noise prediction of a mixture at x = y/sqrt(1 + u^2), for y = data + u noise."""

    def __init__(self, path):
        with open(path) as file:
            parts = json.load(file)
        self.weights = np.array(parts["weights"], float)
        self.means = np.array(parts["means"], float)
        values, self.axes = np.linalg.eigh(np.array(parts["covariances"], float))
        self.values = values

    def noise(self, y, u):
        """u C^-1 (y - mean), weighted with the components' responsibilities."""
        d = y[:, None, :] - self.means
        r = np.einsum("nkd,kde->nke", d, self.axes)
        v = self.values + u * u
        logs = np.log(self.weights) - 0.5 * (np.log(v).sum(-1) + (r * r / v).sum(-1))
        logs -= logs.max(1, keepdims=True)
        w = np.exp(logs)
        w /= w.sum(1, keepdims=True)
        s = np.einsum("nke,kde->nkd", r / v, self.axes)
        return u * np.einsum("nk,nkd->nd", w, s)


class TrainedNetwork:
    """The noise prediction of a run folder: an MLP that gives epsilon, on the logarithm of the signal-to-noise ratio."""

    def __init__(self, folder):
        from safetensors.numpy import load_file

        with open(pathlib.Path(folder) / "run.json") as file:
            run = json.load(file)
        kind, _, options = run["network"].partition(":")
        options = dict(pair.split("=") for pair in options.split(","))
        found = (kind, run["parametrization"], options["condition"], options["features"])
        if found != ("mlp", "epsilon", "log-snr", "fourier"):
            raise SystemExit(f"--run is {found}; expected ('mlp', 'epsilon', 'log-snr', 'fourier')")
        names = load_file(pathlib.Path(folder) / "checkpoint.safetensors")
        self.of = {k.split("/")[1]: torch.tensor(v).double() for k, v in names.items() if k.startswith("average/")}
        self.hidden = [f"layers.{i}" for i in range(1, int(options["layers"]))]
        self.dimensions = len(self.of["output.bias"])

    def noise(self, y, u):
        of = self.of
        silu = torch.nn.functional.silu
        angle = -np.log(u) * 2 * np.pi * of["time.frequencies"]
        features = torch.cat([angle.sin(), angle.cos()])
        x = torch.as_tensor(y) / np.sqrt(1 + u * u)
        h = x @ of["layers.0.input.weight"].T + of["layers.0.condition.weight"] @ features + of["layers.0.condition.bias"]
        for name in self.hidden:
            h = silu(h) @ of[f"{name}.weight"].T + of[f"{name}.bias"]
        return (silu(h) @ of["output.weight"].T + of["output.bias"]).numpy()


def flow(mixture, y, first, last, steps):
    """RK4 in log u; to u = 0 by way of u = 1e-3 and the denoised mean there."""
    end = max(last, 1e-3)
    h = (np.log(end) - np.log(first)) / steps

    def slope(y, log_u):
        u = np.exp(log_u)
        return u * mixture.noise(y, u)

    for i in range(steps):
        t = np.log(first) + i * h
        a = slope(y, t)
        b = slope(y + h / 2 * a, t + h / 2)
        c = slope(y + h / 2 * b, t + h / 2)
        d = slope(y + h * c, t + h)
        y = y + h / 6 * (a + 2 * b + 2 * c + d)
    return y - end * mixture.noise(y, end) if last < end else y


BUDGETS = (5, 10, 20)
TRAINED = dict(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")
GRIDS = {
    "linear": {},
    "trailing": dict(timestep_spacing="trailing"),
    "karras": dict(use_karras_sigmas=True),
    "log-snr": dict(use_lu_lambdas=True),
    "exponential": dict(use_exponential_sigmas=True),
    "beta": dict(use_beta_sigmas=True),
}


def candidates():
    """(name, maker) of each scheduler with each of its grids; those that refuse an option are left out."""

    def add(name, kind, grids, **options):
        for grid in grids:
            yield f"{name}, {grid}", kind, {**TRAINED, **options, **GRIDS[grid]}

    s = diffusers
    linear = ["linear", "trailing"]
    sigmas = linear + ["karras", "exponential", "beta"]
    yield from add("DDIM", s.DDIMScheduler, linear, clip_sample=False, set_alpha_to_one=True)
    yield from add("PNDM", s.PNDMScheduler, linear, skip_prk_steps=True, set_alpha_to_one=True)
    yield from add("Euler", s.EulerDiscreteScheduler, sigmas)
    yield from add("Heun", s.HeunDiscreteScheduler, sigmas)
    yield from add("LMS", s.LMSDiscreteScheduler, sigmas)
    yield from add("KDPM2", s.KDPM2DiscreteScheduler, sigmas)
    yield from add("IPNDM", s.IPNDMScheduler, ["linear"])
    for order in (2, 3):
        for kind in ("dpmsolver++", "dpmsolver"):
            for final in ("zero", "sigma_min"):
                if kind == "dpmsolver" and final == "zero":
                    continue
                yield from add(
                    f"{kind} {order}M {final}", s.DPMSolverMultistepScheduler,
                    sigmas + ["log-snr"], algorithm_type=kind, solver_order=order,
                    final_sigmas_type=final)
                yield from add(
                    f"{kind} {order}S {final}", s.DPMSolverSinglestepScheduler,
                    sigmas + ["log-snr"], algorithm_type=kind, solver_order=order,
                    final_sigmas_type=final)
        for final in ("zero", "sigma_min"):
            yield from add(
                f"UniPC {order} {final}", s.UniPCMultistepScheduler, sigmas,
                solver_order=order, final_sigmas_type=final)
        yield from add(f"DEIS {order}", s.DEISMultistepScheduler, sigmas, solver_order=order)
    for grid in ("karras", "exponential"):
        options = dict(sigma_min=0.01, sigma_max=80, sigma_data=1.0, sigma_schedule=grid)
        yield f"EDM Euler, {grid}", s.EDMEulerScheduler, options
        for order in (2, 3):
            yield (
                f"EDM DPM {order}M, {grid}", s.EDMDPMSolverMultistepScheduler,
                {**options, "solver_order": order})


class Refused(Exception):
    pass


def run(mixture, z, kind, options, steps):
    """The end points in y, the noise ratios at both ends, the starting points and the calls."""
    try:
        scheduler = kind(**options)
        accepted = scheduler.config
        if any(key not in accepted or accepted[key] != value for key, value in options.items()):
            raise Refused
        scheduler.set_timesteps(steps)
    except (ValueError, TypeError, IndexError, NotImplementedError, AssertionError):
        raise Refused
    edm = "EDM" in kind.__name__
    scaled = edm or kind.__name__ in (
        "EulerDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler",
        "KDPM2DiscreteScheduler")

    def ratio(index, t):
        if hasattr(scheduler, "sigmas") and kind.__name__ != "IPNDMScheduler":
            return float(scheduler.sigmas[index])
        if kind.__name__ == "IPNDMScheduler":
            raise Refused
        a = float(scheduler.alphas_cumprod[int(t)])
        return np.sqrt((1 - a) / a)

    first = ratio(0, scheduler.timesteps[0])
    start = np.sqrt(1 + first * first) * z
    x = torch.tensor(start if scaled else start / np.sqrt(1 + first * first))
    calls = 0
    for index, t in enumerate(scheduler.timesteps):
        u = ratio(index, t)
        y = x.numpy() if scaled else x.numpy() * np.sqrt(1 + u * u)
        noise = mixture.noise(y, u)
        calls += 1
        if edm:
            # The schedulers turn the network's F into x0 = c_skip x + c_out F.
            data = scheduler.config.sigma_data
            skip = data**2 / (u * u + data**2)
            out = u * data / np.sqrt(u * u + data**2)
            noise = (y - u * noise - skip * y) / out
            scheduler.scale_model_input(x, t)
        elif scaled:
            scheduler.scale_model_input(x, t)
        x = scheduler.step(torch.tensor(noise), t, x).prev_sample
    if hasattr(scheduler, "sigmas"):
        last = float(scheduler.sigmas[len(scheduler.timesteps)])
    else:
        last = 0.0  # set_alpha_to_one
    y = x.numpy() if scaled else x.numpy() * np.sqrt(1 + last * last)
    return y, first, last, start, calls


def vp(t):
    """alpha and the noise ratio of the process `vp`."""
    log_alpha = -0.25 * t * t * 19.9 - 0.05 * t
    return np.exp(log_alpha), np.sqrt(np.expm1(-2 * log_alpha))


def ours(binary, arguments, solver, budget):
    """The first and the last states of `scoresde sample`, in the units of the field."""
    scale = dict(factor=1, offset=0)
    if arguments.run:
        with open(pathlib.Path(arguments.run) / "run.json") as file:
            run = json.load(file)
        if run["sde"] != "vp:beta-min=0.1,beta-max=20":
            raise SystemExit(f"--run has the process {run['sde']}; expected vp:beta-min=0.1,beta-max=20")
        scale = json.loads(run["notes"].get("scale", json.dumps(scale)))
    model = arguments.run or f"mixture:{arguments.mixture}"
    with tempfile.TemporaryDirectory() as folder:
        out, way = f"{folder}/out.npy", f"{folder}/way.npy"
        command = [binary, "sample", "--quiet", "--json", "--model", model, "--solver", solver, "--out", out]
        command += ["--trajectory", way, "--steps", str(budget), "--count", str(arguments.count)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if result["nfe"] != budget:
            raise SystemExit(f"{solver} took {result['nfe']} evaluations; expected {budget}")
        first, last = np.load(way)[0], np.load(out)
    return [x.reshape(arguments.count, -1) * scale["factor"] + scale["offset"] for x in (first, last)]


def main():
    parser = argparse.ArgumentParser()
    here = pathlib.Path(__file__).parent
    parser.add_argument("--mixture", default=here / "plane.json")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--run")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--scoresde")
    parser.add_argument("--solvers", nargs="+", default=["fitted", "unipc:order=3,grid=optimized"])
    arguments = parser.parse_args()
    mixture = TrainedNetwork(arguments.run) if arguments.run else Mixture(arguments.mixture)
    dimensions = mixture.dimensions if arguments.run else 2
    z = np.random.default_rng(0).standard_normal((arguments.count, dimensions))
    exact = {}
    table = {}
    mine = {budget: [] for budget in BUDGETS}
    if arguments.scoresde:
        (alpha, first), (end_alpha, last) = vp(1), vp(1e-3)
        z = ours(arguments.scoresde, arguments, "dpm-solver++:method=2m", 1)[0].astype(float)
        fine = flow(mixture, z / alpha, first, last, arguments.steps)
        for budget in BUDGETS:
            for solver in arguments.solvers:
                start, end = ours(arguments.scoresde, arguments, solver, budget)
                if np.abs(start - z).max() > 1e-5:
                    raise SystemExit(f"{solver} starts from other noise")
                error = np.sqrt(((end / end_alpha - fine) ** 2).sum(1).mean())
                mine[budget].append((float(error), solver))
    for name, kind, options in candidates():
        row = []
        for budget in BUDGETS:
            best = None
            # The most steps whose calls stay within the budget.
            for steps in range(budget + 1, 0, -1):
                try:
                    y, first, last, start, calls = run(mixture, z, kind, options, steps)
                except Refused:
                    break
                if calls <= budget:
                    key = (round(first, 6), round(last, 6))
                    if key not in exact:
                        exact[key] = flow(mixture, start, first, last, arguments.steps)
                    distance = ((y - exact[key]) ** 2).sum(1)
                    best = (float(np.sqrt(distance.mean())), calls)
                    break
            row.append(best)
        if any(row):
            table[name] = row
    names = sorted(table, key=lambda n: min((e[0] for e in table[n] if e), default=9))
    if not arguments.all:
        names = names[:25]
    print(f"{'scheduler, grid':44}" + "".join(f"   NFE {b:2} RMSE" for b in BUDGETS))
    for name in names:
        cells = [f"{e[0]:9.4f} ({e[1]:2})" if e else " " * 14 for e in table[name]]
        print(f"{name:44}" + " ".join(cells))
    print(f"{len(table)} pairs of scheduler and grid; the best of them:")
    for place, budget in enumerate(BUDGETS):
        entries = [(row[place][0], name) for name, row in table.items() if row[place]]
        error, name = min(e for e in entries if np.isfinite(e[0]))
        print(f"  NFE {budget:2}: {error:.4f}  {name}")
        for own, solver in sorted(mine[budget]):
            print(f"          {own:.4f}  ours: {solver}, {own / error:.2f} of that")


if __name__ == "__main__":
    main()
