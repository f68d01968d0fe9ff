"""Sail the whole roster through tournaments: sign up, download, train, then upload to every round that opens.

python -m contributors.fleet --url http://127.0.0.1:8000 --tournament simulated --tournament real
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Thread

import pandas as pd
import requests

from contributors.client import PATIENCE_SECONDS, Client, Refused
from contributors.hosted import HOSTED, hand_in
from contributors.roster import ROSTER, Entry
from contributors.strategies import Array, Strategy, Training, centred, uniform_ranks

POLL_SECONDS = 0.03
PATIENT_SHARE = 0.6
"""Share of the shortest time between two rounds so far in which nobody asks for the next one."""
WAIT_SECONDS = 0.25
UPLOAD_THREADS = 6
log = logging.getLogger("contributors.fleet")


@dataclass
class Boat:
    """One model on its way: the entry, the fitted strategy and its owner's connection."""

    entry: Entry
    name: str
    strategy: Strategy
    client: Client


Owners = dict[str, Client]


def sign_up(url: str, password: str) -> Owners:
    """Sign everybody up and take a key each: one opens all tournaments."""
    clients = {owner: Client(url) for owner in {entry.owner: None for entry in (*ROSTER, *HOSTED)}}
    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        list(pool.map(lambda owner: clients[owner].sign_up(owner, password), clients))
    return clients


def fit_out(owners: Owners, tournament: str) -> tuple[list[Boat], list[str]]:
    """Download the train file of one tournament once it is published, and fit every strategy on it."""
    clients = {owner: replace(client, session=requests.Session()) for owner, client in owners.items()}
    reader = next(iter(clients.values()))
    while not reader.publishes(tournament):
        time.sleep(WAIT_SECONDS)
    description = json.loads(reader.file(tournament, "features.json"))
    training = Training.read(reader.table(tournament, "train.parquet"), description)
    boats = []
    for entry in ROSTER:
        name = name_in(tournament, entry.model)
        clients[entry.owner].create_model(tournament, name)
        clients[entry.owner].stake(name, entry.stake)
        strategy = entry.make()
        strategy.fit(training)
        boats.append(Boat(entry, name, strategy, clients[entry.owner]))
        log.info("%s is fitted", name)
    hand_in_all(clients, tournament, training, list(description["features"]))
    return boats, list(description["features"])


def hand_in_all(clients: Owners, tournament: str, training: Training, features: list[str]) -> None:
    """Make the files that the platform is to run, and send them."""
    for entry in HOSTED:
        name, client = name_in(tournament, entry.model), clients[entry.owner]
        client.create_model(tournament, name)
        client.stake(name, entry.stake)
        hand_in(entry, name, client, entry.pack(training, features))


def name_in(tournament: str, model: str) -> str:
    """A model's name in a tournament: names are the site's, not the tournament's."""
    return f"{model}_{tournament.split('-')[0]}"


def upload(boat: Boat, ids: pd.Series, features: Array, number: int) -> None:
    """Predict one round and send it, by turns as CSV and as Parquet."""
    values = uniform_ranks(boat.strategy.predict(features, number))
    frame = pd.DataFrame({"id": ids, "prediction": values})
    if sends_csv(boat.name):
        body, filename = frame.to_csv(index=False).encode(), f"{boat.name}.csv"
    else:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        body, filename = buffer.getvalue(), f"{boat.name}.parquet"
    try:
        boat.client.submit(boat.name, number, body, filename)
    except Refused as refusal:
        log.warning("%s", refusal)


def sends_csv(name: str) -> bool:
    """Half of the models send CSV, always the same half (hash() differs between processes)."""
    return sum(name.encode()) % 2 == 0


def sail(boats: list[Boat], features: list[str], tournament: str) -> None:
    """Answer every round that opens, each once, until the process is stopped."""
    reader = boats[0].client
    done, answered_at, shortest = 0, time.monotonic(), PATIENCE_SECONDS
    with ThreadPoolExecutor(UPLOAD_THREADS) as pool:
        while True:
            current = reader.open_round(tournament)
            if current is None or current["number"] <= done:
                time.sleep(_pause(time.monotonic() - answered_at))
                continue
            if done:
                shortest = min(shortest, time.monotonic() - answered_at)
            done = current["number"]
            live = reader.table(tournament, f"live_{done:05d}.parquet")
            matrix = centred(live, features)
            fleet = [boat for boat in boats if boat.entry.sails(done)]
            list(pool.map(lambda boat: upload(boat, live["id"], matrix, done), fleet))  # noqa: B023
            answered_at = time.monotonic()
            time.sleep(PATIENT_SHARE * shortest if done > 1 else 0.0)


def _pause(waited: float) -> float:
    """Seconds before asking again: short while rounds follow each other in a second, longer where they take minutes."""
    return min(WAIT_SECONDS, max(POLL_SECONDS, waited / 50))


def enter(owners: Owners, tournament: str, ended: SimpleQueue[str]) -> None:
    """Fit out for one tournament and sail it; whatever ends the voyage is told."""
    try:
        boats, features = fit_out(owners, tournament)
        sail(boats, features, tournament)
    finally:
        ended.put(tournament)


def main() -> None:
    """Parse the command line and sail, a thread for each tournament."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--tournament", required=True, action="append", help="may be given several times")
    parser.add_argument("--password", required=True, help="of every contributor's account; made at the first start")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    owners = sign_up(options.url.rstrip("/"), options.password)
    ended: SimpleQueue[str] = SimpleQueue()
    for tournament in options.tournament:
        Thread(target=enter, args=(owners, tournament, ended), daemon=True, name=tournament).start()
    raise SystemExit(f"the fleet of {ended.get()} has stopped")  # whoever keeps the process starts all anew


if __name__ == "__main__":
    main()
