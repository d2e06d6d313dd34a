"""`make simulate`: the planted bugs are found, then every seed is clean. Exit status 1 otherwise."""

import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

import click

from tests.proof.simulation.plants import FOUND, HARMLESS
from tests.proof.simulation.run import Outcome, first_found, run, scenario_of
from tests.proof.simulation.scenarios import BY_NAME

_CHUNK = 25


@click.command()
@click.option("--seeds", default=2000, show_default=True, help="How many worlds.")
@click.option("--first", default=0, show_default=True, help="The first seed.")
@click.option("--plants", default=200, show_default=True, help="How many worlds a planted bug may hide in.")
@click.option("--seed", type=int, help="Replay this one world and print its trace.")
@click.option("--scenario", type=click.Choice(sorted(BY_NAME)), help="What happens in it, if not its own.")
def main(seeds: int, first: int, plants: int, seed: int | None, scenario: str | None) -> None:
    """Simulate interleavings on the order book; a seed is a world."""
    if seed is not None:
        outcome = run(seed, BY_NAME[scenario] if scenario else scenario_of(seed))
        click.echo("\n".join(outcome.trace))
        click.echo(str(outcome))
        sys.exit(bool(outcome.faults))
    missed = _show_plants(plants)
    began = time.monotonic()
    broken = _show_worlds(range(first, first + seeds))
    click.echo(f"{seeds - broken} of {seeds} worlds clean in {time.monotonic() - began:.0f} s.")
    sys.exit(bool(missed or broken))


def _show_plants(seeds: int) -> int:
    missed = 0
    for plant in FOUND:
        outcome = first_found(plant, seeds)
        missed += outcome is None
        click.echo(
            f"Planted: {plant.name}. {f'Found: {outcome}' if outcome else f'NOT FOUND in {seeds} seeds.'}"
        )
    for plant in HARMLESS:
        outcome = first_found(plant, seeds // 4)
        missed += outcome is not None
        click.echo(f"Taken away: {plant.name}. {f'BROKEN: {outcome}' if outcome else 'Nothing is lost.'}")
    return missed


def _show_worlds(seeds: range) -> int:
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    broken = done = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for outcomes in pool.map(_broken, chunks):
            done += _CHUNK
            broken += len(outcomes)
            for outcome in outcomes:
                click.echo(str(outcome))
            if done % 500 == 0:
                click.echo(f"… {min(done, len(seeds))} worlds, {broken} broken.")
    return broken


def _broken(seeds: Iterable[int]) -> list[Outcome]:
    return [outcome for outcome in map(run, seeds) if outcome.faults]


if __name__ == "__main__":
    main()
