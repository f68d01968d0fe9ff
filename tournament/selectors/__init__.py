"""Who weighs the models: one protocol, several families."""
