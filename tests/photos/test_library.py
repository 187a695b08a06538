"""What feedback is worth."""

from photos.library import Feedback


def test_feedback_is_worth_0_1_and_3():
    # 2^feedback - 1: the favourite is worth three photos that are kept.
    assert [2**word - 1 for word in Feedback] == [0, 1, 3]
