"""How figures are written for a person."""


def percent(share: float) -> str:
    """Writes a share in points, as ``71.3``."""
    return f"{100 * share:.1f}"


def decimals(loss: float) -> str:
    """Writes a loss with as many digits as its column has room for."""
    return f"{loss:.3f}" if loss < 100 else f"{loss:.0e}"  # noqa: PLR2004


def epsilon_text(epsilon: float | None) -> str:
    """Writes an ε rounded up, never down."""
    if epsilon is None:
        return "none"
    if epsilon == float("inf"):
        return "∞"
    return f"{-(-epsilon * 100 // 1) / 100:.2f}"
