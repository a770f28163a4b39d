"""From encoder rows and log-probabilities to tokens: CIF, beam search and time stamps, in numpy only."""
