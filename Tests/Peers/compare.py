"""Times `scoresde bench` beside its peers, alternately, and prints medians and ratios as a Markdown table.

The ratios are the fastest peer over ours, and the fastest PyTorch over ours.

    python compare.py [WORKLOAD …] [--rounds 3] [--threads 2] [--json FILE]

Run it with a Python that has the peers installed, after `swift build -c release`.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = {
    "mlp-train": ["torch", "torch-compile", "jax"],
    "mlp-sample-64": ["torch", "torch-compile", "jax"],
    "mlp-sample-1024": ["torch", "torch-compile", "jax"],
    "mlp-likelihood": ["scipy", "torchdiffeq", "diffrax"],
    "unet-train": ["torch", "torch-channels-last", "jax"],
    "unet-forward": ["torch", "torch-channels-last", "jax"],
}


def last_json(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"  {command[1:4]} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def ours(workload, threads):
    answer = last_json([str(ROOT / ".build/release/scoresde"), "bench", workload, "--json", "--quiet", "--threads", str(threads)])
    return answer and answer["workloads"][0]["median_ms"]


def theirs(workload, peer, threads):
    answer = last_json([sys.executable, str(HERE / "peers.py"), workload, peer, "--threads", str(threads)])
    return answer and answer["median_ms"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workloads", nargs="*", default=list(PEERS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json")
    options = parser.parse_args()
    table = {}
    print("| workload | scoresde ms | peers ms | fastest peer / ours | PyTorch / ours |\n|---|---|---|---|---|", flush=True)
    for workload in options.workloads or list(PEERS):
        times = {name: [] for name in ["scoresde", *PEERS[workload]]}
        for number in range(options.rounds):
            for name in times:
                print(f"{workload}, round {number + 1}: {name}", file=sys.stderr)
                value = ours(workload, options.threads) if name == "scoresde" else theirs(workload, name, options.threads)
                if value is not None:
                    times[name].append(value)
        medians = {name: statistics.median(values) for name, values in times.items() if values}
        table[workload] = medians
        peers = {name: value for name, value in medians.items() if name != "scoresde"}
        if "scoresde" not in medians:
            print(f"| {workload} | failed | | | |", flush=True)
            continue
        own = medians["scoresde"]
        torch = [value for name, value in peers.items() if name.startswith("torch")]
        best = lambda values: f"{min(values) / own:.2f}" if values else "–"
        row = ", ".join(f"{name} {value:.3g}" for name, value in peers.items())
        print(f"| {workload} | {own:.3g} | {row} | {best(peers.values())} | {best(torch)} |", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table, indent=2) + "\n")


main()
