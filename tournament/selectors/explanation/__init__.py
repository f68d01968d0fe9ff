"""Why a selector gives the weights that it gives, told from what was known at the round's opening."""
