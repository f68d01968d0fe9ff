"""The daily rebalance as a dual semismooth Newton method; `solve.solve` is the way in."""
