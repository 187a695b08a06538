"""Bugs that void a promise without a sign, planted one at a time: each fails a named test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("client", "conf", "photos", "privacy", "protocol", "ranking", "server", "simulations")

BUGS = {
    "start weights have cost their devices nothing": (
        "simulations/runs/earlier/earlier_runs.py",
        "    if not origin.of_a_run:",
        "    if True:",
        "tests/simulations/runs/earlier/test_earlier_runs.py::"
        "test_the_planned_epsilon_is_of_a_device_that_comes_as_often_as_it_may",
    ),
    "any norm passes where nothing clips": (
        "server/rounds/norm_bound.py",
        "return min(honest, LONGEST)",
        "return honest",
        "tests/server/test_app.py::"
        "test_one_device_that_sends_the_end_of_float32_changes_no_model",
    ),
    "a second answer replaces the first": (
        "server/rounds/admission.py",
        "return RefusalReason.DUPLICATE if sender in answered else None",
        "return None",
        "tests/server/rounds/test_hostile_replies.py::"
        "test_a_bad_reply_is_refused_counted_and_moves_nothing",
    ),
    "a release is not tried": (
        "server/rounds/divergence.py",
        "if not sound(parameters):",
        "if False:",
        "tests/server/test_app.py::"
        "test_a_run_whose_scores_overflow_says_so_and_leaves_the_last_good_model",
    ),
    "the model of a round that diverged is kept": (
        "server/rounds/strategy.py",
        "model = self._recent.add(parameters)",
        "model = self.model = self._recent.add(parameters)",
        "tests/server/rounds/test_divergence.py::"
        "test_a_run_that_overflows_ends_and_keeps_the_model_before",
    ),
    "padding has a score": (
        "ranking/masking.py",
        "torch.full_like(scores, -torch.inf)",
        "torch.full_like(scores, -1e30)",
        "tests/ranking/test_masking.py::test_no_score_is_so_low_that_padding_stands_beside_it",
    ),
    "infinite scores are an order": (
        "simulations/evaluation/figures.py",
        "if not np.isfinite(scores[where]).all():",
        "if np.isnan(scores[where]).any():",
        "tests/simulations/evaluation/test_figures.py::"
        "test_scores_that_are_not_finite_order_nothing_but_in_padding_they_are_nobodys",
    ),
    "weights of infinities are taken": (
        "ranking/weights.py",
        "    _check_finite(path, tensors)\n",
        "",
        "tests/ranking/test_weights.py::"
        "test_weights_of_a_training_that_diverged_are_refused_and_nothing_is_copied",
    ),
    "a round is released before it is kept": (
        "simulations/runs/recorder.py",
        "        # What could not be kept",
        "        self._last = ReleasedModel(round=2, parameters=outcome.parameters)  #",
        "tests/simulations/runs/test_recorder.py::"
        "test_a_round_that_was_not_kept_is_not_released",
    ),
    "a charge that was lost pays for another draw": (
        "privacy/ledger/resumed.py",
        'RepeatedLedger if terms.noise == "insecure_seeded" else Ledger',
        "RepeatedLedger",
        "tests/privacy/ledger/test_resumed.py::"
        "test_a_charge_that_is_the_very_same_is_recorded_again_under_secure_noise",
    ),
    "a row of correlated noise is drawn twice": (
        "simulations/runs/resuming/resumption.py",
        "if not protection.claim or _repeatable(protection.device):",
        "if not protection.claim or protection.device:",
        "tests/simulations/runs/resuming/test_resumption_refused.py::"
        "test_correlated_noise_never_draws_a_released_row_anew",
    ),
    "a lost round is free": (
        "simulations/runs/resuming/resumption.py",
        "one.now if afresh else one.then for unit, one in charged.items()",
        "one.then for unit, one in charged.items()",
        "tests/simulations/runs/resuming/test_resumption_refused.py::"
        "test_a_lost_round_of_the_server_is_tried_again_and_taken_from_its_rounds",
    ),
    "a lost visit is none of a device's": (
        "simulations/runs/resuming/resumption.py",
        "charged[unit].now if afresh else charged[unit].then",
        "charged[unit].then",
        "tests/simulations/runs/resuming/test_resumption_refused.py::"
        "test_a_device_never_visits_more_often_than_its_ledger_says",
    ),
    "half of the noise": (
        "privacy/mechanisms/moments/dpsgd.py",
        "stream.add_gaussian(released, deviation=deviation)",
        "stream.add_gaussian(released, deviation=deviation / 2)",
        "tests/privacy/mechanisms/independent/test_cohort_gaussian.py::"
        "test_an_empty_cohort_releases_noise_of_the_same_deviation",
    ),
    "updates are not clipped where they are added": (
        "privacy/mechanisms/base/release.py",
        "total += clipped_update(delta, clip, layers=layers)",
        "total += delta",
        "tests/privacy/mechanisms/independent/test_cohort_gaussian.py::"
        "test_a_device_more_moves_the_release_by_no_more_than_the_clip",
    ),
    "the divisor is who came": (
        "privacy/mechanisms/independent/cohort_gaussian.py",
        "value=released / mechanism.sampling.expected",
        "value=released / max(count, 1)",
        "tests/privacy/mechanisms/independent/test_cohort_gaussian.py::"
        "test_the_divisor_is_the_expected_cohort_whoever_came",
    ),
    "an update of NaN passes": (
        "privacy/clipping/updates.py",
        "return np.zeros_like(exact)",
        "return exact",
        "tests/privacy/clipping/test_updates.py::test_an_update_that_is_not_finite_is_none",
    ),
    "the vote has the wrong sign": (
        "privacy/mechanisms/independent/adaptive_gaussian.py",
        "return HALF if norm <= clip else -HALF",
        "return -HALF if norm <= clip else HALF",
        "tests/privacy/mechanisms/independent/test_adaptive_gaussian.py::"
        "test_the_clip_finds_the_quantile_from_far_away",
    ),
    "the vote is not accounted": (
        "privacy/mechanisms/independent/adaptive_gaussian.py",
        "return self.noise_multiplier / math.sqrt(1 - self.share)",
        "return self.noise_multiplier",
        "tests/privacy/mechanisms/independent/test_adaptive_gaussian.py::"
        "test_both_releases_together_cost_the_noise_that_is_accounted",
    ),
    "the noise of an adaptive round stays that of the first clip": (
        "privacy/mechanisms/independent/adaptive_gaussian.py",
        "release(total, deviation=mechanism.update_noise * clip, stream=noise)",
        "release(total, deviation=mechanism.update_noise, stream=noise)",
        "tests/privacy/mechanisms/base/test_release.py::"
        "test_the_noise_of_an_adaptive_round_is_in_units_of_its_clip",
    ),
    "devices do not rest": (
        "privacy/mechanisms/correlated/separated_gaussian.py",
        "rested = numbers[self._separation.eligible(numbers, self._rounds)]",
        "rested = numbers",
        "tests/privacy/mechanisms/base/test_release.py::"
        "test_a_device_that_took_part_rests_and_comes_twice_at_most",
    ),
    "a row of correlated noise is used twice": (
        "privacy/correlation/noise.py",
        "past[number % self.memory] = noise",
        "past[0] = noise",
        "tests/privacy/correlation/test_noise.py",
    ),
    "more columns of one device meet than are accounted": (
        "privacy/mechanisms/correlated/banded_gaussian.py",
        "math.ceil(rounds / self.bands)",
        "rounds // (2 * self.bands)",
        "tests/privacy/mechanisms/correlated/test_banded_gaussian.py",
    ),
    "layers are each clipped to the whole clip": (
        "privacy/clipping/updates.py",
        "_scaled(part, clip / math.sqrt(len(layers)))",
        "_scaled(part, clip)",
        "tests/privacy/mechanisms/base/test_release.py::"
        "test_a_device_more_moves_a_release_by_no_more_than_the_clip",
    ),
    "the norm of integers is not checked again": (
        "privacy/integers/grid.py",
        "kept &= squares <= bound**2",
        "kept &= squares >= 0",
        "tests/privacy/integers/test_grid.py",
    ),
    "gradients are clipped before they are rounded to the grid": (
        "privacy/integers/grid.py",
        "room / np.where(finite, lengths, 1.0)",
        "self.steps / np.where(finite, lengths, 1.0)",
        "tests/privacy/integers/test_grid.py::test_entries_that_are_all_rounded_up_still_fit",
    ),
    "rows of integers are scaled by the longest of them": (
        "privacy/integers/grid.py",
        "lengths = norms(exact)",
        "lengths = np.full(len(exact), norms(exact).max(initial=0))",
        "tests/privacy/integers/test_grid_rows.py::test_rows_are_rounded_each_by_its_own_length",
    ),
    "a moment that is not finite passes into the integers": (
        "privacy/integers/grid.py",
        "exact[~finite] = 0",
        "exact[~finite] = np.nan_to_num(exact[~finite], posinf=1e9)",
        "tests/privacy/integers/test_grid_rows.py::test_rows_are_rounded_each_by_its_own_length",
    ),
    "discrete noise is accounted as if rounding were free": (
        "privacy/mechanisms/moments/integer_dpsgd.py",
        "SMOOTHING = 3",
        "SMOOTHING = 0",
        "tests/privacy/mechanisms/moments/test_integer_dpsgd.py::"
        "test_real_noise_of_the_same_size_would_promise_too_much",
    ),
    "a device takes floats where integers were promised": (
        "client/consent/floor.py",
        "terms.integers == self.integers,",
        "True,",
        "tests/client/consent/test_floor.py",
    ),
    "a device takes less noise than its configuration promises": (
        "client/consent/floor.py",
        "self.noise_multiplier <= terms.noise_multiplier <= MOST_NOISE",
        "0 <= terms.noise_multiplier <= MOST_NOISE",
        "tests/client/consent/test_floor.py",
    ),
    "a device counts no visits": (
        "client/consent/floor.py",
        "visits >= self.visits",
        "visits > 10 * self.visits",
        "tests/client/consent/test_floor.py",
    ),
    "a choice among trials costs what one does": (
        "privacy/planning/selection.py",
        "of_trial + extra + math.log(self.trials) / (order - 1)",
        "of_trial",
        "tests/privacy/planning/test_selection.py",
    ),
    "cohorts of a fixed size": (
        "privacy/sampling/capped.py",
        "numbers[stream.keyed_uniform(numbers) < self.rate]",
        "np.argsort(stream.keyed_uniform(numbers))[: round(self.rate * self.devices)]",
        "tests/privacy/sampling/test_capped.py::test_each_device_tosses_its_own_coin",
    ),
    "the cap is ignored": (
        "privacy/sampling/capped.py",
        "if len(drawn) > self.cap:",
        "if False:",
        "tests/privacy/sampling/test_capped.py::test_too_many_are_cut_to_the_cap_at_random",
    ),
    "replacing costs as much as removing": (
        "privacy/mechanisms/local_gaussian.py",
        "DIAMETER = 2.0",
        "DIAMETER = 1.0",
        "tests/privacy/mechanisms/test_local_gaussian.py::test_local_noise_is_that_of_twice_the_clip",
    ),
    "a device adds its noise to an update of any length": (
        "client/training/release.py",
        "clipped = clipped_update(delta, terms.update_clip)",
        "clipped = delta.astype(np.float64)",
        "tests/client/training/test_release.py::test_an_update_is_clipped_before_it_leaves",
    ),
    "noise from the seed without the round": (
        "server/charged_release.py",
        'SeededSource(seed, "server", "round", number, "attempt", attempt)',
        'SeededSource(seed, "server", "attempt", attempt)',
        "tests/server/test_charged_release.py::"
        "test_rounds_and_attempts_draw_apart_and_a_seed_repeats_them",
    ),
    "a replay draws the same noise": (
        "server/charged_release.py",
        'SeededSource(seed, "server", "round", number, "attempt", attempt)',
        'SeededSource(seed, "server", "round", number)',
        "tests/server/test_charged_release.py::"
        "test_rounds_and_attempts_draw_apart_and_a_seed_repeats_them",
    ),
    "a round is released uncharged": (
        "server/rounds/strategy.py",
        "self._release.charge(number, attempt)",
        "pass",
        "tests/simulations/ledgers/test_run_ledger.py::"
        "test_a_round_is_charged_before_its_sum_is_released",
    ),
    "replies are handed over uncharged": (
        "simulations/federation/grid.py",
        "self._cohort.ledgers.charge(messages, replies, directory=self.directory)",
        "pass",
        "tests/simulations/federation/test_device_ledgers.py::"
        "test_visits_are_charged_before_a_reply_is_handed_over",
    ),
    "what a crash tore counts as nothing": (
        "privacy/ledger/totals.py",
        "unknown += record.charges",
        "unknown += 0",
        "tests/privacy/ledger/test_totals.py",
    ),
    "a hash knows nothing of the line before": (
        "privacy/ledger/chain.py",
        'f"{previous}{body}"',
        'f"{body}"',
        "tests/privacy/ledger/test_chain.py",
    ),
    "a moment is scaled up to the clip": (
        "privacy/clipping/moments.py",
        ".clamp(max=1.0)",
        ".clamp(max=2.0)",
        "tests/privacy/clipping/test_moments.py",
    ),
    "moments take part more often than accounted": (
        "privacy/sampling/poisson.py",
        "< self.rate",
        "< 1.1 * self.rate",
        "tests/privacy/sampling/test_poisson.py",
    ),
    "the divisor is the size of the library": (
        "client/training/cohort_engine.py",
        "alpha=terms.lr / terms.denominator",
        "alpha=terms.lr / max(1, len(visit.examples.numbers))",
        "tests/client/training/test_cohort_engine.py::test_updates_are_those_of_opacus",
    ),
    "sensitivity of one participation where there are several": (
        "privacy/correlation/toeplitz.py",
        "participations=participations",
        "participations=1",
        "tests/privacy/correlation/test_toeplitz.py",
    ),
    "the head in the card is not compared": (
        "simulations/ledgers/run_ledger.py",
        "kept=found.heads.get(unit)",
        "kept=None",
        "tests/simulations/runs/test_parts_together.py::"
        "test_parts_that_are_changed_together_are_named[an older ledger with its head]",
    ),
    "a unit that the card names is not looked for": (
        "simulations/ledgers/run_ledger.py",
        "units = sorted({*found.heads, *by_unit})",
        "units = sorted(by_unit)",
        "tests/simulations/runs/test_parts_together.py::"
        "test_parts_that_are_changed_together_are_named[a unit's ledger and its head]",
    ),
    "a part that is gone is passed over": (
        "simulations/runs/run_parts.py",
        "for name, digest in named.items():",
        "for name, digest in ((n, d) for n, d in named.items() if (folder / n).exists()):",
        "tests/simulations/runs/test_run_parts.py::test_a_part_that_is_changed_is_named",
    ),
    "several runs cost what the first does": (
        "privacy/losses/joint_losses.py",
        "spectrum *= np.fft.rfft",
        "spectrum = np.fft.rfft",
        "tests/privacy/statements/test_composition.py::"
        "test_ledgers_of_different_terms_cost_what_opacus_says_of_all_their_steps",
    ),
    "several runs of Gaussians cost what the worst does": (
        "privacy/statements/composition.py",
        "squares = sum(",
        "squares = max(",
        "tests/privacy/statements/test_composition.py::test_gaussians_add_their_squares",
    ),
    "the worst device pays its most in one run alone": (
        "simulations/runs/earlier/bills.py",
        "everybody = [tuple(one.of(device) for one in spent) for device in devices]",
        "everybody = [tuple(o.of(d) * (n == 0) for n, o in enumerate(spent)) for d in devices]",
        "tests/simulations/ledgers/test_composed_runs.py::"
        "test_the_losses_of_each_device_add_up_over_runs_and_the_worst_is_reported",
    ),
    "a limit over configurations holds for the worst of them": (
        "privacy/statements/renyi_filter.py",
        "total = sum(",
        "total = max(",
        "tests/client/consent/test_lifetime.py::"
        "test_two_configurations_together_have_the_visits_of_one_limit",
    ),
    "a ledger that cannot be read has cost nothing": (
        "client/consent/lifetime.py",
        "        return False\n    if not others:",
        "        return True\n    if not others:",
        "tests/client/consent/test_lifetime.py::"
        "test_what_cannot_be_counted_is_without_bound_and_named_in_the_devices_log",
    ),
    "the seed may be shared": (
        "simulations/runs/public_half.py",
        '{"name": plain["name"]}',
        '{"name": plain["name"], "seed": plain["seed"]}',
        "tests/simulations/runs/test_public_half.py::"
        "test_the_seed_is_not_public_and_how_this_machine_ran_is_not_either",
    ),
    "a public card tells how often devices came": (
        "simulations/runs/public_half.py",
        'return unit == "device" and',
        "return",
        "tests/simulations/runs/test_public_half.py::"
        "test_a_public_card_tells_of_visits_nothing_and_of_rounds_what_follows_from_them",
    ),
    "the private half is open": (
        "simulations/runs/run_folder.py",
        "OWNERS = 0o700",
        "OWNERS = 0o755",
        "tests/simulations/runs/test_public_half.py::"
        "test_a_public_half_has_these_files_and_the_private_one_is_closed",
    ),
    "an entry that tells nothing of itself empties its folder": (
        "photos/folder/listing.py",
        "    except OSError:\n        return Skip.UNREADABLE\n",
        "    except NotImplementedError:\n        return Skip.UNREADABLE\n",
        "tests/hostile_folders/test_entries.py::"
        "test_an_entry_of_which_nothing_can_be_asked_costs_itself",
    ),
    "a stray photo turns what a folder is taken for": (
        "simulations/ranking/own_photographs.py",
        "waiting.extend(reversed(listing.folders))",
        "waiting.extend(() if listing.photos else reversed(listing.folders))",
        "tests/hostile_folders/test_entries.py::"
        "test_five_moments_beside_any_one_entry_are_the_same_five",
    ),
    "moments are padded to the longest of all": (
        "client/training/cohort_batch.py",
        "[padded_length(length, pixels=pixels) for length in photos]",
        "[longest for _ in photos]",
        "tests/client/training/test_hostile_gradients.py::"
        "test_weights_whose_padding_overflows_erase_no_other_moment",
    ),
    "a layer of one output is a product with a vector": (
        "client/isolation.py",
        "if weight.shape[0] == 1:",
        "if False:",
        "tests/client/test_isolation.py::test_a_layer_of_one_output_is_added_up_row_by_row",
    ),
    "a token is clipped photo by photo": (
        "client/training/layers.py",
        "squares += precise(self._instances).square().sum((-2, -1))",
        "squares += (self._gradient.square().sum(-1).double() * self._inputs(torch.float64)"
        ".square().sum(-1)).amax(-1)",
        "tests/client/training/test_cohort_engine.py::"
        "test_one_moment_moves_the_sum_by_at_most_the_clip[taste-bookkeeping]",
    ),
    "a wide list model is clipped photo by photo": (
        "client/training/layers.py",
        "squares += alike.sum((-2, -1)).clamp_(min=0)",
        "squares += alike.diagonal(dim1=-2, dim2=-1).amax(-1)",
        "tests/client/training/test_cohort_engine.py::"
        "test_one_moment_moves_the_sum_by_at_most_the_clip[wide-bookkeeping]",
    ),
    "every moment is scaled by the largest norm of its batch": (
        "client/training/bookkeeping.py",
        "coefficients(norms, clip)",
        "coefficients(norms.amax().expand_as(norms), clip)",
        "tests/client/training/test_hostile_gradients.py::"
        "test_no_weights_let_one_moment_move_the_sum_by_more_than_its_clip",
    ),
    "a moment that is not finite spreads over its batch": (
        "client/training/bookkeeping.py",
        "finite = norms.isfinite()",
        "finite = norms.isfinite().all().expand_as(norms)",
        "tests/client/training/test_hostile_gradients.py::"
        "test_weights_whose_padding_overflows_erase_no_other_moment",
    ),
    "a gradient is measured in float32, where it overflows or vanishes": (
        "privacy/clipping/moments.py",
        "norms = exact.square().sum(1).sqrt()",
        "norms = gradients.square().sum(1).sqrt().double()",
        "tests/privacy/clipping/test_moments.py",
    ),
    "rows that cancel are not bounded": (
        "client/training/layers.py",
        "squares += (REACH * reach).square_()",
        "squares += 0 * reach",
        "tests/client/training/test_layers.py",
    ),
    "the deviation is squared, and underflows": (
        "privacy/noise.py",
        "    radius *= -2\n",
        "    radius *= -2 * deviation**2\n    deviation = 1.0\n",
        "tests/privacy/test_noise.py::test_noise_of_any_deviation_is_finite_and_not_zero",
    ),
    "a private device whose training fails says so": (
        "client/app.py",
        "if not self.local.sections.private:",
        "if True:",
        "tests/client/test_app.py::test_after_a_failure_the_next_device_trains_as_ever",
    ),
    "a library that cannot be read disturbs the others": (
        "client/local_device.py",
        "            if not self.sections.private:\n                raise",
        "            raise",
        "tests/client/test_app.py::test_a_private_answer_has_one_shape_whatever_the_library_is",
    ),
    "any parameters are accepted": (
        "client/consent/parameter_bounds.py",
        "within = math.isfinite(norm) and norm <= self.radius",
        "within = True",
        "tests/client/test_app_consent.py::"
        "test_parameters_that_no_honest_run_comes_to_are_declined",
    ),
    "any frozen part is accepted": (
        "client/consent/parameter_bounds.py",
        "if task.digest != self.frozen_digest:",
        "if False:",
        "tests/client/test_app_consent.py::"
        "test_a_frozen_part_that_the_configuration_does_not_name_is_declined",
    ),
    "the encoder sees as many photos as are left": (
        "client/embeddings/examples.py",
        "encoder(pixels(_filled(some)).to(device))",
        "encoder(pixels(some).to(device))",
        "tests/client/embeddings/test_examples.py::"
        "test_no_photo_more_or_less_changes_a_bit_of_an_embedding",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_line_that_a_bug_breaks_and_the_test_that_finds_it_are_there(bug):
    file, sound, _, guard = BUGS[bug]
    assert sound in (ROOT / file).read_text(), "the line has changed: plant it in the new one"
    path, _, name = guard.partition("::")
    assert f"def {name.partition('[')[0]}" in (ROOT / path).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_fails_its_test(tmp_path, bug):
    file, sound, broken, guard = BUGS[bug]
    text = (ROOT / file).read_text()
    for name in (*COPIED, "tests"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / file).write_text(text.replace(sound, broken))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    # plain: where CI is set, pytest compares long lists line by line, for hours
    command += ["--assert=plain", "--hypothesis-profile=unshrunk", guard]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 1, found.stdout[-2000:]
