"""What is typed is a setting or a group, or is refused with the nearest right name."""

import pytest

from simulations.configuration.overrides import SETTINGS, check_overrides, groups, one_of

TAGS = [f"{section}.{kinds.tag}" for section in SETTINGS if (kinds := one_of(section))]
SHARE_SUGGESTED_RIGHT = 0.95


@pytest.fixture(scope="module")
def mistyped(keys, typos):
    return [(path, typo) for path in keys for typo in typos(path) if typo not in SETTINGS]


def test_there_are_enough_typos_to_try(keys, mistyped):
    assert 2 * len(mistyped) + len(keys) >= 150


@pytest.mark.parametrize("prefix", ["", "+", "++"])
def test_every_typed_typo_is_refused_and_nearly_always_finds_the_right_name(
    mistyped, refused, suggests, prefix
):
    found = 0
    for path, typo in mistyped:
        message = refused(check_overrides, [f"{prefix}{typo}=1"])
        assert message.startswith(f"'{typo}' is not a setting.")
        found += suggests(message, path)
    assert found >= SHARE_SUGGESTED_RIGHT * len(mistyped)


@pytest.mark.parametrize("path", TAGS)
def test_which_kind_a_section_is_follows_from_its_group_alone(refusal, path):
    group = path.rpartition(".")[0].replace(".", "/")
    assert refusal([f"{path}=x"]) == (
        f"'{path}' follows from the choice of {group}; type {group}=x."
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["photos=3"],
            "photos=3 is not one of flair, flickr_aes, folder, library, para, photo_triage, "
            "synthetic.",
        ),
        (
            ["privacy/exampel=none"],
            "'privacy/exampel' is not a setting. Did you mean 'privacy/example'?",
        ),
        (
            ["privacy=none"],
            "'privacy' is a section of settings, not none. Did you mean 'privacy/device'?",
        ),
        (["epsilon=3"], "'epsilon' is not a setting. Did you mean 'privacy.example.epsilon'?"),
        (["server.lr=1"], "'server.lr' is not a setting. Did you mean 'server.optimizer.lr'?"),
        (
            ["server.tau=1"],
            "'server.tau' is not a setting. Did you mean 'server.optimizer.tau'?",
        ),
        (
            ["privacy.device=matrix"],
            "'privacy.device' is a section of settings; type privacy/device=matrix.",
        ),
        (
            ["ranking.list.kind=probes"],
            "'ranking.list.kind' follows from the choice of ranking/list; type "
            "ranking/list=probes.",
        ),
        (
            ["ranking.list=probes"],
            "'ranking.list' is a section of settings; type ranking/list=probes.",
        ),
        (
            ["ranking.list.widht=96"],
            "'ranking.list.widht' is not a setting. Did you mean 'ranking.list.width'?",
        ),
        (
            ["ranking.width=96"],
            "'ranking.width' is not a setting. Did you mean 'ranking.list.width'?",
        ),
        (["~server.rounds"], "'server.rounds' cannot be removed; give it another value."),
        (
            ["study.grids=[{lr: {low: ['training.lr=1']}}]"],
            "'study.grids' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "it cannot be typed.",
        ),
        (
            ["+study.grids.lr={low: ['training.lr=1']}"],
            "'study.grids' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "it cannot be typed.",
        ),
        (
            ["study.arms={low: ['training.lr=1']}"],
            "'study.arms' belongs in a file of conf/experiment/, as main-result.yaml has it; "
            "one entry may be typed: '+study.arms.NAME=[\"training.lr=1\"]'.",
        ),
        (["+server.rounds=3"], "'server.rounds' is known and needs no '+'; leave that out."),
        (
            ["+privacy.device.quantile=0.5", "privacy/device=adaptive"],
            "'privacy.device.quantile' is known and needs no '+'; leave that out.",
        ),
        (
            ["+privacy/device=adaptive"],
            "'privacy/device' is known and needs no '+'; leave that out.",
        ),
        (
            ["++privacy/device=adaptive"],
            "'privacy/device' is known and needs no '++'; leave that out.",
        ),
        (
            ["~privacy/device"],
            "'privacy/device' cannot be removed; give it another value.",
        ),
        (
            ["privacy={example: {epsilom: 3}}"],
            "'privacy.example.epsilom' is not a setting. "
            "Did you mean 'privacy.example.epsilon'?",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_can(refused, overrides, message):
    assert refused(check_overrides, overrides) == message


def test_every_setting_may_be_typed_and_so_may_every_group(keys):
    in_files_alone = {*TAGS, "study.arms", "study.grids"}
    check_overrides([f"{path}=1" for path in keys if path not in in_files_alone])
    check_overrides([f"{group}=x" for group in groups()])


def test_an_entry_of_a_setting_with_names_of_its_own_is_left_to_hydra():
    check_overrides(['+study.arms.mine=["seed=1"]', "~study.arms.mine"])
