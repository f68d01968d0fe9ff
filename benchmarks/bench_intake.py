"""How long from create_submission to ACCEPTED with eight uploaders at once, and how fast is the check alone?

PYTHONPATH=platform:. python benchmarks/bench_intake.py --rows 6000 --uploaders 8 --each 8
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import requests
from numerai_tools.submissions import validate_submission_numerai

from tournament.predictions import check

ROOT = Path(__file__).resolve().parent.parent
AUTH = """query($f: String! $t: Int! $m: String) {
    submission_upload_auth(filename: $f tournament: $t modelId: $m) { filename url } }"""
CREATE = """mutation($f: String! $t: Int! $m: String) {
    create_submission(filename: $f tournament: $t modelId: $m source: "numerapi") { id } }"""
REPEATS = 40


def ids_of(rows: int) -> list[str]:
    return sorted(f"n{place:012x}" for place in np.random.default_rng(1).choice(2**47, rows, replace=False))


def file_of(ids: list[str], seed: int) -> bytes:
    values = np.random.default_rng(seed).permutation((np.arange(len(ids)) + 0.5) / len(ids))
    frame = pd.DataFrame({"id": ids, "prediction": values})
    return frame.sample(frac=1.0, random_state=seed).to_csv(index=False).encode()


def seconds(work: Callable[[], object]) -> float:
    """Median of many runs."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def compare(ids: list[str]) -> None:
    data, universe = file_of(ids, 0), pd.Series(ids)
    ordered = pd.read_csv(io.BytesIO(data)).sort_values("id").to_csv(index=False).encode()
    theirs = seconds(lambda: validate_submission_numerai(universe, pd.read_csv(io.BytesIO(data))))
    print(f"parse and check {len(ids):,} rows: pandas and numerai_tools {theirs * 1e3:.2f} ms")
    for name, sent in (("shuffled", data), ("in order", ordered)):
        ours = seconds(lambda sent=sent: check(sent, "mine.csv", ids))
        print(f"    ours, {name}: {ours * 1e3:.2f} ms, {theirs / ours:.1f} times as fast")


def lay(ids: list[str], uploaders: int) -> list[tuple[str, str]]:
    """An open round of that universe, and for each uploader a model: (token, model)."""
    from django.utils import timezone

    from regatta import artifacts
    from regatta.accounts.models import ApiKey, User
    from regatta.rounds.models import Round, Tournament
    from regatta.submissions.models import ContributedModel
    from tournament.markets.dataset import parquet_bytes

    now = timezone.now()
    made = Tournament.objects.create(slug="bench", name="Bench", market="simulated", is_paused=True)
    Round.objects.create(
        tournament=made, number=1, status="OPEN", era="0001", as_of=now.date(), opens_at=now - timedelta(hours=1),
        closes_at=now + timedelta(days=1), resolves_at=now + timedelta(days=30), universe_size=len(ids),
        live_sha256=artifacts.put(parquet_bytes(pd.DataFrame({"id": ids, "era": "0001"}))),
    )  # fmt: skip
    out = []
    for number in range(uploaders):
        owner = User.objects.create(username=f"uploader{number}", email=f"uploader{number}@example.org")
        model = ContributedModel.objects.create(tournament=made, owner=owner, name=f"boat_{number}")
        key, secret = ApiKey.issue(owner, "bench")
        out.append((f"{key.public_id}${secret}", model.name))
    return out


def upload(url: str, who: tuple[str, str], data: bytes, taken: list[tuple[float, float]]) -> None:
    """All three steps: seconds of the last one (it answers when the file is accepted), and of all."""
    token, model = who

    def ask(query: str, filename: str) -> Any:
        body = {"query": query, "variables": {"f": filename, "t": 8, "m": model}}
        answer = requests.post(url, json=body, headers={"Authorization": f"Token {token}"}, timeout=60).json()
        if "errors" in answer:
            raise SystemExit(answer["errors"])
        return answer["data"]

    start = time.perf_counter()
    auth = ask(AUTH, "mine.csv")["submission_upload_auth"]
    requests.put(auth["url"], data=data, timeout=60).raise_for_status()
    put = time.perf_counter()
    ask(CREATE, auth["filename"])
    taken.append((time.perf_counter() - put, time.perf_counter() - start))


def crowd(url: str, people: list[tuple[str, str]], files: list[bytes], each: int) -> list[tuple[float, float]]:
    """Everybody at once."""
    taken: list[tuple[float, float]] = []

    def work(place: int) -> None:
        for _ in range(each):
            upload(url, people[place], files[place], taken)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def serve_and_measure(ids: list[str], uploaders: int, each: int, port: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from regatta.submissions.models import Submission

    call_command("migrate", verbosity=0)
    people = lay(ids, uploaders)
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    site = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert site.stdout is not None
        if "Serving on" not in site.stdout.readline():
            raise SystemExit("the site did not start")
        url, files = f"http://127.0.0.1:{port}/graphql/", [file_of(ids, seed) for seed in range(uploaders)]
        crowd(url, people, files, 1)
        taken = crowd(url, people, files, each)
        accepted = Submission.objects.filter(status="ACCEPTED").count()
    finally:
        site.send_signal(signal.SIGINT)
        site.wait(60)
    last, whole = sorted(one for one, _ in taken), sorted(one for _, one in taken)
    print(f"{uploaders} uploaders at once, {len(taken)} files of {len(files[0]):,} bytes, {accepted} accepted in all")
    for name, values in (("create_submission to ACCEPTED", last), ("all three steps", whole)):
        print(f"    {name}: median {values[len(values) // 2]:.3f} s, 95 % {values[int(len(values) * 0.95)]:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--uploaders", type=int, default=8)
    parser.add_argument("--each", type=int, default=8)
    options = parser.parse_args()
    ids = ids_of(options.rows)
    compare(ids)
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL"):
            os.environ.pop(name, None)
        os.environ |= {"REGATTA_VAR": folder, "DJANGO_SETTINGS_MODULE": "regatta.settings"}
        serve_and_measure(ids, options.uploaders, options.each, port)


if __name__ == "__main__":
    main()
