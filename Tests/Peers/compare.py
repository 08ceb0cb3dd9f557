"""Times `scoresde bench` beside its peers, alternately, and prints medians and ratios.

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
        fastest = min(peers, key=peers.get)
        row = "  ".join(f"{name} {value:.3f}" for name, value in medians.items())
        print(f"{workload:16} {row}  |  {fastest} / scoresde = {peers[fastest] / medians['scoresde']:.2f}", flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table, indent=2) + "\n")


main()
