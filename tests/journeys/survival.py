"""What holds of an installation whose load only rose and that was killed again and again, on whichever cluster.

A test file inherits `Survival` and gives the fixture `survivor`.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.journeys.installation import Installation

from podium.loop.remember import anew, record
from podium.loop.remember.replay import replay
from podium.loop.remember.restore import KINDS, Library, begin, turns

KILLS = 50


def killed_again_and_again(place: Installation, kills: int = KILLS) -> Installation:
    """Start and kill at random instants; then start once more and stop in order."""
    chance = random.Random(20261121)
    try:
        for number in range(kills):
            place.start()
            # Every other kill falls on the start and the learning, the rest on deciding, recording and writing.
            if number % 2:
                place.until_ready()
            time.sleep(chance.uniform(0.0, 1.5))
            place.kill()
        place.start()
        place.until_ready()
        assert place.stop() == 0
    finally:
        place.end()
    return place


class Survival:
    """Nothing goes down, nothing is lost, nothing is forgotten."""

    kills = KILLS

    def test_nothing_was_ever_scaled_down(self, survivor: Installation) -> None:
        writes = survivor.writes()
        assert len(writes) > self.kills / 2
        assert [write for write in writes if write.after < write.before] == []

    def test_the_chain_holds_and_agrees_with_its_signed_heads(self, survivor: Installation) -> None:
        ledger = survivor.ledger()
        assert ledger.verify().findings == ()
        ledger.close()

    def test_every_decision_that_was_carried_out_is_recorded(self, survivor: Installation) -> None:
        ledger = survivor.ledger()
        library, planned = Library(ledger), set()
        for turn in turns(ledger):
            for key, slot in library.fleet(turn.fleet).index.items():
                planned.add((str(key), int(turn.snapshot.replicas[slot]), int(turn.planned[slot])))
        assert {(write.workload, write.before, write.after) for write in survivor.writes()} <= planned
        ledger.close()

    def test_turns_are_counted_without_a_gap_or_a_repetition(self, survivor: Installation) -> None:
        ledger = survivor.ledger()
        numbers = [turn.number for turn in turns(ledger)]
        assert numbers == list(range(1, len(numbers) + 1))
        ledger.close()

    def test_every_epoch_is_higher_than_the_one_before(self, survivor: Installation) -> None:
        ledger = survivor.ledger()
        epochs = [entry.epoch for entry in ledger.entries([record.TURN])]
        assert epochs == sorted(epochs)
        assert len(set(epochs)) > self.kills / 3
        ledger.close()

    def test_what_was_learned_is_the_same_as_if_it_had_never_been_killed(self, survivor: Installation) -> None:
        """Folding all turns without any restart gives, turn by turn, the state that the killed processes recorded."""
        ledger = survivor.ledger()
        library = Library(ledger)
        first = next(iter(ledger.entries([record.CHECKPOINT])))
        begun, after = begin(ledger, first, anew.new_memory(), library)
        number, same = begun.number, []
        for entry in ledger.entries(KINDS, after_seq=after):
            if entry.kind == record.TURN:
                same.append(begun.fold(record.read_turn(entry), library))
            else:
                begun.follow(entry, number)
        assert same == [True] * len(same)
        ledger.close()

    def test_the_last_decision_replays_bit_for_bit(self, survivor: Installation) -> None:
        ledger = survivor.ledger()
        again = replay(ledger, anew.new_memory())
        assert (again.identical, again.forecast_agrees) == (True, True)
        ledger.close()

    def test_what_the_logs_said_was_scaled_is_in_the_ledger(self, survivor: Installation) -> None:
        said = {(line["workload"], line["replicas"]) for line in survivor.said("scaled")}
        ledger = survivor.ledger()
        recorded = {
            (str(result.command.key), f"{result.command.current} -> {result.command.replicas}")
            for entry in ledger.entries([record.RESULTS])
            for result in record.read_results(entry)
        }
        assert said
        assert said <= recorded
        ledger.close()

    def test_the_files_of_the_installation_are_only_ours(self, survivor: Installation) -> None:
        assert not list(Path(survivor.folder).glob("*.tmp"))
