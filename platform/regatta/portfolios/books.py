"""How the meta-model's book is run: limits, costs and the size of its bets, the same for choosing and accounting."""

from tournament.portfolio.config import Execution, RiskConfig
from tournament.portfolio.limits import Costs, Limits
from tournament.portfolio.overlay.live import Protection

LIMITS = Limits(gross=1.0, position=0.02, turnover=0.4)
COSTS = Costs(half_spread=0.0005, borrow_per_year=0.005)
EXPECTED_CORR = 0.03
"""What the meta-model's corr is taken to be when its ranks are turned into expected returns."""
RISK = RiskConfig()
EXECUTION = Execution(delay_days=1, impact=1.0, capital=1e6)
"""Filled at the next close; impact where prices come with volumes, for a book of a million in their money."""
PROTECTION = Protection()
"""No limit on the drawdown; the page tells what one of 25 % would have cost."""
